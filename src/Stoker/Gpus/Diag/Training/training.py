"""Trains a network on random numbers with DistributedDataParallel, one process a worker; the first worker prints what came of it as one line of JSON.

Arguments: RANK WORLD FILE SECONDS cuda|cpu. FILE is where the workers meet; it must not be there yet. With cuda each worker sees its own card alone.
"""
import contextlib
import json
import sys
import time

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

rank, world, meeting, seconds, kind = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], float(sys.argv[4]), sys.argv[5]
on_gpu = kind == "cuda"
if on_gpu and not torch.cuda.is_available():
    sys.exit("this PyTorch sees no GPU: it was built without CUDA, or for another driver")
if not on_gpu:
    torch.set_num_threads(1)
device = torch.device("cuda:0" if on_gpu else "cpu")
width, layers, batch = (2048, 6, 16384) if on_gpu else (64, 4, 128)

dist.init_process_group("nccl" if on_gpu else "gloo", init_method="file://" + meeting, rank=rank, world_size=world)
torch.manual_seed(1)
parts = []
for _ in range(layers):
    parts += [nn.Linear(width, 4 * width), nn.ReLU(), nn.Linear(4 * width, width)]
model = DistributedDataParallel(nn.Sequential(*parts).to(device), device_ids=[0] if on_gpu else None)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
# Each worker has numbers of its own, so that only what they tell each other makes their networks the same.
torch.manual_seed(100 + rank)
given = torch.randn(batch, width, device=device)
wanted = torch.randn(batch, width, device=device)
half = on_gpu and torch.cuda.is_bf16_supported()


def wait():
    if on_gpu:
        torch.cuda.synchronize()


def steps(count):
    wait()
    dist.barrier()
    begun = time.time()
    for _ in range(count):
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cuda", dtype=torch.bfloat16) if half else contextlib.nullcontext():
            loss = nn.functional.mse_loss(model(given), wanted)
        loss.backward()
        optimizer.step()
    wait()
    dist.barrier()
    return begun, time.time(), loss.item()


first = steps(3)[2]
begun, ended, _ = steps(5)
count = torch.tensor([max(5, int(seconds * 5 / max(1e-6, ended - begun)))], device=device)
dist.broadcast(count, 0)
begun, ended, last = steps(int(count.item()))

sums = torch.stack([p.detach().double().sum() for p in model.parameters()])
least, most = sums.clone(), sums.clone()
dist.all_reduce(least, op=dist.ReduceOp.MIN)
dist.all_reduce(most, op=dist.ReduceOp.MAX)
if rank == 0:
    print(json.dumps({
        "torch": torch.__version__, "world": world, "steps": int(count.item()), "samples_per_second": batch * world * int(count.item()) / (ended - begun), "begun": begun, "ended": ended,
        "loss_first": first, "loss_last": last, "agrees": bool(torch.equal(least, most)),
    }))
dist.barrier()
dist.destroy_process_group()
