"""What an engineer would write in PyTorch, timed inside: runs in the environment that has it.

    python _torch_loops.py task.json weights.npz [--one-thread]

A task names a network of ours and what to do with it. The same network is built here, with the
same weights: its logits come back with the first answer, to be compared with ours. Every way to
run it is tried, both layouts, eager and compiled, and the fastest is kept. Then each line on
standard input, a number of steps or epochs, is answered by the seconds they took.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

# Of a machine that others use, only the time of the processor says something.
ONE_THREAD = "--one-thread" in sys.argv
CLOCK = time.process_time if ONE_THREAD else time.perf_counter
LAYOUTS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}


# Networks, their layers named as in Keras


class Vgg16(nn.Module):
    """VGG16 for pixels of 0 to 255, less a mean."""

    SIDE = 7  # of the maps before the first dense layer

    def __init__(self, mean: np.ndarray):
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean).reshape(1, -1, 1, 1))
        channels, widths = 3, (64, 64, 128, 128, 256, 256, 256, *6 * [512])
        self.features, widths = nn.Sequential(), iter(widths)
        for block, count in enumerate((2, 2, 3, 3, 3), start=1):
            for number in range(1, count + 1):
                width = next(widths)
                name = f"block{block}_conv{number}"
                self.features.add_module(name, nn.Conv2d(channels, width, 3, padding=1))
                self.features.add_module(f"{name}_relu", nn.ReLU(inplace=True))
                channels = width
            self.features.add_module(f"block{block}_pool", nn.MaxPool2d(2))
        self.fc1, self.fc2 = nn.Linear(25088, 4096), nn.Linear(4096, 4096)
        self.predictions = nn.Linear(4096, 1000)

    def forward(self, x):
        """The logits."""
        x = self.features(x - self.mean).flatten(1)
        return self.predictions(F.relu(self.fc2(F.relu(self.fc1(x)))))


class Inception(nn.Module):
    """One module of GoogLeNet."""

    def __init__(self, channels: int, name: str, widths: tuple[int, ...]):
        super().__init__()
        one, three_reduce, three, five_reduce, five, projection = widths
        self.names = [
            f"{name}_{part}"
            for part in ("1x1", "3x3_reduce", "3x3", "5x5_reduce", "5x5", "pool_proj")
        ]
        sizes = (
            (channels, one, 1),
            (channels, three_reduce, 1),
            (three_reduce, three, 3),
            (channels, five_reduce, 1),
            (five_reduce, five, 5),
            (channels, projection, 1),
        )
        for part, (inputs, outputs, side) in zip(self.names, sizes, strict=True):
            self.add_module(part, nn.Conv2d(inputs, outputs, side, padding=side // 2))

    def forward(self, x):
        """The four branches side by side."""
        one, reduce3, three, reduce5, five, projection = (getattr(self, n) for n in self.names)
        branches = (
            one(x),
            three(F.relu(reduce3(x), inplace=True)),
            five(F.relu(reduce5(x), inplace=True)),
            projection(F.max_pool2d(x, 3, 1, 1)),
        )
        return F.relu(torch.cat(branches, 1), inplace=True)


class GoogLeNet(nn.Module):
    """GoogLeNet of Caffe for pixels of 0 to 255, less a mean."""

    SIDE = 1  # of the maps before the first dense layer
    MODULES = {
        "3a": (64, 96, 128, 16, 32, 32),
        "3b": (128, 128, 192, 32, 96, 64),
        "4a": (192, 96, 208, 16, 48, 64),
        "4b": (160, 112, 224, 24, 64, 64),
        "4c": (128, 128, 256, 24, 64, 64),
        "4d": (112, 144, 288, 32, 64, 64),
        "4e": (256, 160, 320, 32, 128, 128),
        "5a": (256, 160, 320, 32, 128, 128),
        "5b": (384, 192, 384, 48, 128, 128),
    }

    def __init__(self, mean: np.ndarray):
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean).reshape(1, -1, 1, 1))
        self.conv1_7x7_s2 = nn.Conv2d(3, 64, 7, 2, padding=3)
        self.conv2_3x3_reduce = nn.Conv2d(64, 64, 1)
        self.conv2_3x3 = nn.Conv2d(64, 192, 3, padding=1)
        self.pool = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.norm = nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=1.0)
        channels, self.stages = 192, nn.Sequential()
        for name, widths in self.MODULES.items():
            self.stages.add_module(name, Inception(channels, f"inception_{name}", widths))
            channels = sum(widths[n] for n in (0, 2, 4, 5))
            if name in ("3b", "4e"):
                self.stages.add_module(f"pool{name[0]}", self.pool)
        self.logits = nn.Linear(1024, 1000)

    def forward(self, x):
        """The logits."""
        x = self.norm(self.pool(F.relu(self.conv1_7x7_s2(x - self.mean), inplace=True)))
        x = F.relu(self.conv2_3x3_reduce(x), inplace=True)
        x = self.pool(self.norm(F.relu(self.conv2_3x3(x), inplace=True)))
        return self.logits(self.stages(x).mean((2, 3)))


class TutorialLeNet(nn.Module):
    """LeNet of the Deep Learning Tutorials for pixels of 0 to 255."""

    SIDE = 4  # of the maps before the first dense layer

    def __init__(self, _mean: np.ndarray):
        super().__init__()
        self.block1_conv1, self.block2_conv1 = nn.Conv2d(1, 20, 5), nn.Conv2d(20, 50, 5)
        self.fc1, self.logits = nn.Linear(800, 500), nn.Linear(500, 10)

    def forward(self, x):
        """The logits."""
        x = torch.tanh(F.max_pool2d(self.block1_conv1(x / 255), 2))
        x = torch.tanh(F.max_pool2d(self.block2_conv1(x), 2))
        return self.logits(torch.tanh(self.fc1(x.flatten(1))))


class DeepMnist(nn.Module):
    """The network of Deep MNIST for Experts for pixels of 0 to 255."""

    SIDE = 7  # of the maps before the first dense layer

    def __init__(self, _mean: np.ndarray, dropout: float = 0.5):
        super().__init__()
        self.block1_conv1 = nn.Conv2d(1, 32, 5, padding=2)
        self.block2_conv1 = nn.Conv2d(32, 64, 5, padding=2)
        self.fc1, self.logits = nn.Linear(3136, 1024), nn.Linear(1024, 10)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x):
        """The logits."""
        x = F.max_pool2d(F.relu(self.block1_conv1(x / 255), inplace=True), 2)
        x = F.max_pool2d(F.relu(self.block2_conv1(x), inplace=True), 2)
        return self.logits(self.dropout(F.relu(self.fc1(x.flatten(1)))))


NETWORKS = {
    "vgg16": Vgg16,
    "googlenet": GoogLeNet,
    "lenet_tutorial": TutorialLeNet,
    "deep_mnist": DeepMnist,
}


def build(task: dict, arrays: dict[str, np.ndarray]) -> nn.Module:
    """The network of a task with the weights of ours."""
    model = NETWORKS[task["network"]](arrays["mean"], **task.get("options", {}))
    side = model.SIDE
    for path, layer in model.named_modules():
        name = path.rpartition(".")[2]
        if not isinstance(layer, nn.Conv2d | nn.Linear):
            continue
        kernel = arrays[f"{name}/kernel"]
        if isinstance(layer, nn.Conv2d):
            kernel = kernel.transpose(3, 2, 0, 1)
        else:
            # Keras flattens (height, width, channels), PyTorch (channels, height, width).
            rows, units = kernel.shape
            maps = kernel.reshape(side, side, rows // side**2, units).transpose(2, 0, 1, 3)
            kernel, side = maps.reshape(rows, units).T, 1
        layer.weight.data.copy_(torch.from_numpy(np.ascontiguousarray(kernel)))
        layer.bias.data.copy_(torch.from_numpy(arrays[f"{name}/bias"]))
    return model


# What is timed


class Ascent:
    """Adam on the image, a class's logit as the objective, and nothing else."""

    def __init__(self, task: dict, arrays: dict[str, np.ndarray], layout: str, compiled: bool):
        self.model = build(task, arrays).eval().requires_grad_(False)
        self.model = self.model.to(memory_format=LAYOUTS[layout])
        start = torch.from_numpy(arrays["images"]).permute(0, 3, 1, 2)
        self.image = start.contiguous(memory_format=LAYOUTS[layout]).requires_grad_(True)
        self.optimizer = torch.optim.Adam([self.image], lr=1.0)
        self.unit = task["unit"]
        self.run = torch.compile(self.model) if compiled else self.model

    def logits(self) -> list[float]:
        """Of the first image as it is."""
        with torch.no_grad():
            return self.model(self.image)[0].tolist()

    def seconds(self, steps: int) -> float:
        """For so many steps."""
        began = CLOCK()
        for _ in range(steps):
            self.optimizer.zero_grad()
            (-self.run(self.image)[:, self.unit].sum()).backward()
            self.optimizer.step()
        return CLOCK() - began


class Training:
    """Epochs over data in memory, shuffled, each with its validation."""

    def __init__(self, task: dict, arrays: dict[str, np.ndarray], layout: str, compiled: bool):
        self.model = build(task, arrays).to(memory_format=LAYOUTS[layout])
        self.run = torch.compile(self.model) if compiled else self.model
        self.batch = task["batch_size"]

        def images(name):
            values = torch.from_numpy(arrays[name].astype(np.float32)).permute(0, 3, 1, 2)
            return values.contiguous(memory_format=LAYOUTS[layout])

        self.images, self.labels = images("images"), torch.from_numpy(arrays["labels"]).long()
        self.unseen = images("validation_images")
        self.unseen_labels = torch.from_numpy(arrays["validation_labels"]).long()
        optimizer = {"sgd": torch.optim.SGD, "adamw": torch.optim.AdamW}[task["optimizer"]]
        self.optimizer = optimizer(self.model.parameters(), fused=True, **task["settings"])

    def logits(self) -> list[float]:
        """Of the first image, by the network as it is."""
        self.model.eval()
        with torch.no_grad():
            return self.model(self.images[:1])[0].tolist()

    def seconds(self, epochs: int) -> float:
        """For so many epochs."""
        began = CLOCK()
        for _ in range(epochs):
            self._epoch()
        return CLOCK() - began

    def _epoch(self) -> tuple[float, float]:
        """Train and validate: loss and accuracy of the validation part."""
        self.model.train()
        total, correct = torch.zeros(()), torch.zeros((), dtype=torch.long)
        for chosen in torch.randperm(len(self.images)).split(self.batch):
            labels = self.labels[chosen]
            self.optimizer.zero_grad()
            logits = self.run(self.images[chosen])
            loss = F.cross_entropy(logits, labels)
            loss.backward()
            self.optimizer.step()
            total += loss.detach()
            correct += (logits.detach().argmax(1) == labels).sum()
        self.model.eval()
        losses, right = torch.zeros(()), torch.zeros((), dtype=torch.long)
        with torch.no_grad():
            pairs = zip(self.unseen.split(500), self.unseen_labels.split(500), strict=True)
            for images, labels in pairs:
                logits = self.model(images)
                losses += F.cross_entropy(logits, labels, reduction="sum")
                right += (logits.argmax(1) == labels).sum()
        return losses.item() / len(self.unseen), right.item() / len(self.unseen)


LOOPS = {"ascent": Ascent, "training": Training}


def fastest(task: dict, arrays: dict[str, np.ndarray]) -> tuple[Ascent | Training, dict]:
    """The loop in its fastest way, and what each way took."""
    tried, best = {}, None
    for compiled, layout in itertools.product((False, True)[: task["compile"] + 1], LAYOUTS):
        way = f"{layout}, {'torch.compile' if compiled else 'eager'}"
        try:
            loop = LOOPS[task["loop"]](task, arrays, layout, compiled)
            logits = loop.logits()
            loop.seconds(task["steps"])  # the first steps compile
            seconds = min(loop.seconds(task["steps"]) for _ in range(3))
        except torch._dynamo.exc.TorchDynamoException as error:  # no compiler for C++
            tried[way] = str(error).splitlines()[0]
            continue
        tried[way] = seconds
        print(f"  PyTorch, {way}: {seconds}", file=sys.stderr, flush=True)
        if best is None or seconds < best[0]:
            best = (seconds, way, loop)
    _, way, loop = best
    return loop, {"way": way, "tried": tried, "logits": logits, "torch": torch.__version__}


def main() -> None:
    """Choose the way, then answer numbers of steps by seconds."""
    torch.set_num_threads(1 if ONE_THREAD else os.cpu_count() or 1)
    torch.set_flush_denormal(True)  # as TensorFlow does
    torch.manual_seed(0)
    task = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    with np.load(sys.argv[2]) as file:
        loop, answer = fastest(task, dict(file))
    print(json.dumps(answer), flush=True)
    for line in sys.stdin:
        print(json.dumps({"seconds": loop.seconds(int(line))}), flush=True)


if __name__ == "__main__":
    main()
