"""The nets of the toolkit, built of PyTorch's own layers; and the weights of a model file of ours, set into them.

Each net registers its layers in the order in which ours shows its weights.
"""

import struct

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_sequence, unpack_sequence


class Fcnn(nn.Module):
    def __init__(self, numbers, tables, hidden, norm, dropout):
        super().__init__()
        self.tables = nn.ModuleList(nn.Embedding(*table) for table in tables)
        width, layers = numbers + sum(width for _, width in tables), []
        for following in hidden:
            scale = [nn.LayerNorm(following)] if norm else []
            layers += [nn.Linear(width, following), *scale, nn.ReLU(), nn.Dropout(dropout)]
            width = following
        self.layers = nn.Sequential(*layers, nn.Linear(width, 1))

    def forward(self, numbers, codes):
        return self.layers(beside(numbers, self.tables, codes)).squeeze(1)


class Along(nn.Module):
    """Long short-term memory, or gated recurrent units."""

    def __init__(self, gru, numbers, tables, width, layers, dropout):
        super().__init__()
        self.tables = nn.ModuleList(nn.Embedding(*table) for table in tables)
        inputs = numbers + sum(width for _, width in tables)
        self.along = (nn.GRU if gru else nn.LSTM)(inputs, width, layers)
        self.dropout, self.score = nn.Dropout(dropout), nn.Linear(width, 1)
        # Of its two biases, which are only ever summed, ours has one.
        for name, bias in self.along.named_parameters():
            if not gru and name.startswith("bias_hh"):
                nn.init.zeros_(bias).requires_grad_(False)

    def forward(self, histories, window):
        """Numbers and codes of each history, the longest first -> what is said of their rows, history by history. Nothing goes
        back beyond a window of steps."""
        rows = [beside(numbers, self.tables, codes) for numbers, codes in histories]
        said, state = [[] for _ in rows], None
        for begin in range(0, len(rows[0]), window):
            here = [part[begin : begin + window] for part in rows if len(part) > begin]
            going = lambda state: state[:, : len(here)].detach().contiguous()
            if state is not None:
                state = tuple(map(going, state)) if isinstance(state, tuple) else going(state)
            packed, state = self.along(pack_sequence(here), state)
            for said_of, part in zip(said, unpack_sequence(packed)):
                said_of.append(self.score(self.dropout(part)).squeeze(1))
        return [torch.cat(parts) for parts in said]


class Cnn(nn.Module):
    """Over pictures; those of one line have windows along it."""

    def __init__(self, size, channels, window, hidden, mean, dropout):
        super().__init__()
        height, width, last = size
        line, stages = height == 1, []
        for following in channels:
            windows, pooled = ((1, window), (1, 2)) if line else ((window, window), (2, 2))
            conv = nn.Conv2d(last, following, windows, padding=tuple(side // 2 for side in windows))
            stages += [conv, nn.ReLU(), nn.MaxPool2d(pooled, ceil_mode=True)]
            height, width, last = -(-height // pooled[0]), -(-width // pooled[1]), following
        self.stages, self.mean = nn.Sequential(*stages), mean
        self.hidden = nn.Linear(last if mean else height * width * last, hidden)
        self.dropout, self.score = nn.Dropout(dropout), nn.Linear(hidden, 1)

    def forward(self, pictures):
        """Channels come last, as in ours."""
        stages = self.stages(pictures.permute(0, 3, 1, 2))
        flat = stages.mean((2, 3)) if self.mean else stages.permute(0, 2, 3, 1).flatten(1)
        return self.score(self.dropout(functional.relu(self.hidden(flat)))).squeeze(1)


class Focus(nn.Module):
    def __init__(self, width, context):
        super().__init__()
        self.of_token = nn.Linear(width, width, bias=False)
        self.of_context = nn.Linear(context, width)
        self.score = nn.Linear(width, 1, bias=False)

    def forward(self, tokens, context):
        scores = self.score(functional.relu(self.of_token(tokens) + self.of_context(context).unsqueeze(1)))
        return (functional.softmax(scores, 1) * tokens).sum(1)


class Date(nn.Module):
    """Both heads over leaves and entities, as Kim et al. have it, *DATE: dual attentive tree-aware embedding*, 2020."""

    def __init__(self, leaves, entities, width, heads, hidden, dropout):
        super().__init__()
        self.leaves = nn.Embedding(leaves, width)
        self.attention = nn.MultiheadAttention(width, heads, bias=False, batch_first=True)
        self.norm = nn.LayerNorm(width)
        self.tables = nn.ModuleList(nn.Embedding(places, width) for places in entities)
        self.focus = Focus(width, len(entities) * width)
        self.hidden = nn.Linear((len(entities) + 2) * width, hidden)
        self.dropout = nn.Dropout(dropout)
        self.fraud, self.revenue = nn.Linear(hidden, 1), nn.Linear(hidden, 1)

    def forward(self, places, codes):
        tokens = self.leaves(places)
        tokens = self.norm(tokens + self.attention(tokens, tokens, tokens, need_weights=False)[0])
        entities = [table(codes[:, i]) for i, table in enumerate(self.tables)]
        parts = [self.focus(tokens, torch.cat(entities, 1)), *entities]
        pairs = sum(one * other for i, one in enumerate(parts) for other in parts[:i])
        rows = self.dropout(functional.relu(self.hidden(torch.cat([*parts, pairs], 1))))
        return self.fraud(rows).squeeze(1), self.revenue(rows).squeeze(1)


def beside(numbers, tables, codes):
    return torch.cat([numbers, *(table(codes[:, i]) for i, table in enumerate(tables))], 1)


def plain(flat, shape):
    return flat.reshape(shape)


def turned(flat, shape):
    """Ours has a row for each input, torch's one for each output."""
    return flat.reshape(shape[::-1]).T


def of_windows(flat, shape):
    to, channels, lines, pixels = shape
    return flat.reshape(lines, pixels, channels, to).transpose(3, 2, 0, 1)


def of_gates(form):
    """Ours has in, forget, out, news; torch's in, forget, news, out."""
    return lambda flat, shape: np.concatenate([np.split(form(flat, shape), 4)[gate] for gate in (0, 1, 3, 2)])


def trained(net):
    """Each weight of a net that is learnt, in our order, and how a list of ours becomes one of its shape."""
    for module in net.modules():
        if isinstance(module, nn.RNNBase):
            lstm = isinstance(module, nn.LSTM)
            for name, weight in module.named_parameters():
                form = turned if name.startswith("weight") else plain
                if weight.requires_grad:
                    yield weight, of_gates(form) if lstm else form
        elif isinstance(module, nn.MultiheadAttention):
            yield module.in_proj_weight, turned
        elif isinstance(module, (nn.Embedding, nn.LayerNorm, nn.Linear, nn.Conv2d)):
            forms = {nn.Embedding: plain, nn.LayerNorm: plain, nn.Conv2d: of_windows}
            yield module.weight, forms.get(type(module), turned)
            if getattr(module, "bias", None) is not None:
                yield module.bias, plain


def weights_of(path, net):
    """The weights in a model file of ours, as arrays in the shapes of a net's. The file has them as one list of lists, each behind
    its length: there is one place in it where these lengths stand."""
    body, known = path.read_bytes(), list(trained(net))
    lengths = [weight.numel() for weight, _ in known]
    head, found = struct.pack("<QQ", len(lengths), lengths[0]), []
    begin = body.find(head)
    while begin >= 0:
        at, lists = begin + 8, []
        for length in lengths:
            if body[at : at + 8] != struct.pack("<Q", length) or len(body) < at + 8 + 4 * length:
                break
            lists.append(np.frombuffer(body, "<f4", length, at + 8))
            at += 8 + 4 * length
        found += [lists] if len(lists) == len(lengths) else []
        begin = body.find(head, begin + 1)
    assert len(found) == 1, f"{path.name}: found {len(found)} lists of weights with the lengths {lengths}"
    return [form(flat.astype("f8"), tuple(weight.shape)) for flat, (weight, form) in zip(found[0], known)]


def set_weights(net, weights):
    with torch.no_grad():
        for (weight, _), values in zip(trained(net), weights, strict=True):
            weight.copy_(torch.from_numpy(np.ascontiguousarray(values)))
    return net
