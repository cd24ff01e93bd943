#!/bin/sh
# An S3 server for this estate alone, with the bucket `ca4`: npm's s3rver, whose keys are both S3RVER. For trying out; what it keeps is in DIRECTORY.
#
#   s3.sh DIRECTORY PORT
set -eu
directory=$1 port=$2
command -v s3rver >/dev/null || {
  echo "there is no S3 server here: npm install -g s3rver" >&2
  exit 1
}
mkdir -p -m 700 "$directory"
exec s3rver --directory "$directory" --address 127.0.0.1 --port "$port" --no-vhost-buckets --configure-bucket ca4
