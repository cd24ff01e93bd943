"""A real driver's view of a server: reads what Stoker wrote, writes and finds for itself. Prints one JSON line."""
import json
import sys

import pymongo
from pymongo import InsertOne, MongoClient, UpdateOne
from pymongo.errors import BulkWriteError, OperationFailure

port, user, password, mechanism = int(sys.argv[1]), *sys.argv[2:5]
client = MongoClient("127.0.0.1", port, username=user, password=password, authSource="admin", authMechanism=mechanism, directConnection=True, retryWrites=False,
                     serverSelectionTimeoutMS=20000)
database = client.metadata
ours = [{"id": row["id"], "name": row["document"]["gpu_hardware"]["name"], "sequence": row["sequence"], "embedding": list(bytes(row["embedding"]))}
        for row in database["gpu-metadata"].find({"host": "box-1"}).sort("time_us", 1)]
theirs = database.theirs
result = theirs.bulk_write(
    [UpdateOne({"_id": f"k{n}"}, {"$setOnInsert": {"n": n, "nested": {"list": [1, 2.5, "é", None, True]}}}, upsert=True) for n in range(250)], ordered=False)
try:
    theirs.bulk_write([InsertOne({"_id": "k1"}), InsertOne({"_id": "new"})], ordered=False)
    duplicate = None
except BulkWriteError as error:
    duplicate = error.details["writeErrors"][0]["code"]
try:
    MongoClient("127.0.0.1", port, username=user, password="wrong", authSource="admin", authMechanism=mechanism, directConnection=True).admin.command("ping")
    refused = False
except OperationFailure as error:
    refused = error.code == 18
print(json.dumps({"ours": ours, "upserted": result.upserted_count, "found": len(list(theirs.find({"n": {"$gte": 100}}, batch_size=40))),
                  "nested": theirs.find_one({"_id": "k7"})["nested"], "duplicate": duplicate, "refused": refused, "driver": pymongo.version}))
