"""Model files damaged by chance and on purpose, and a second opinion on what a model file says.

A damage works on bytes, or on the JSON: its numbers, texts, names, order, nesting. Some leave the file as valid as it
was, so that a reader that refuses everything is found out too. The same seed gives the same files.
"""

import gzip
import hashlib
import json
import math
import pickle
import random
import re

from saving_helpers import ALL, content_of, set_numbers, trained


class Raw(str):
    """A piece of JSON as it stands in the file."""

    __slots__ = ()


class Pairs(list):
    """A JSON object as its entries, in which names may come twice."""


NUMBERS = [
    "1e999", "-1e999", "1e308", "1.8e308", "NaN", "Infinity", "-Infinity", "nan", "-0.0", "-0", "0", "-1", "1e-400", "5e-324",
    "1" * 400, "9" * 10_000, "-" + "7" * 10_000, "0." + "3" * 10_000, "1e" + "9" * 5000, "0x10", "1_000", "01", ".5", "1.", "+1",
    "1E5", "10000000000000000", "9007199254740993", "2.5e-1", "true", "false", "null", '"1.0"', '""', "[]", "{}", "[1.0]",
    '{"x": 1}', "1000000000000", "4294967296", "-9223372036854775808", "1.0", "2.0", "3", "1", "2", "٣", "1e1", "0e0",
]  # fmt: skip
TEXTS = [
    '"__class__"', '"__proto__"', '"__init__"', '"__dict__"', '"os.system"', '"../../etc/passwd"', r'"\ud800"', r'"\udfff\ud800"',
    r'"\u0000"', r'"\u001b[2J"', r'"\u202e"', '"' + "x" * 300_000 + '"', '""', '"Neuron"', '"MLP"', '"Sequential"', '"Zoo"',
    '"Module"', '"tanh"', '"relu"', '"sum"', '"TANH"', '"lambda x: x"', '"b"', '"w.0"', '"state"', '"scalargrad-model"', '"é"',
    r'"\u0077.0"', '"\t"', '"\\x41"', '"a', "tanh", "'w.0'", '"0.weight"', '"{0.__class__}"', '"%s%s%s%n"', '"w.٣"',
]  # fmt: skip
DEEP = 100_000
BOMBS = [
    "[" * DEEP, "[" * DEEP + "]" * DEEP, '{"a":' * DEEP + "1" + "}" * DEEP, "[" + "[]," * DEEP + "[]]", " " * 1_000_000 + "1",
    "[" + "0," * 300_000 + "0]", '{"kind": "Sequential", "layers": [' * 5000 + '{"kind": "Dropout", "p": 0.5}' + "]}" * 5000,
]  # fmt: skip
BYTES = [b"", b"0", b"9", b"-", b"e5", b"\x00", b"\x00" * 9, b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b'"', b",", b"[", b"}", b" ", b"\n",
         b"\\", b"NaN", b"null", b"//", b"\xe2\x80\xa8", b"\xf4\x90\x80\x80"]  # fmt: skip


def files(seed, count):
    """So many damaged files: what was done, what makes the model that was saved, the content.

    First every wrong piece in the place of a number, without a checksum that would tell; then damages by chance.
    """
    rng = random.Random(seed)
    models = [(make, set_numbers(make(), random.Random(i))) for i, make in enumerate(ALL.values())]
    bases = [(make, content_of(model)) for make, model in models]
    bases += [(make, content_of(model, trained(model))) for make, model in models[::2] if model.parameters()]
    numbered = [base for base in bases if base[0]().state_dict()]
    for piece in NUMBERS + TEXTS + BOMBS:
        make, content = rng.choice(numbered)
        yield "each wrong piece", make, in_place_of_a_number(content, piece, rng)
    for _ in range(count - len(NUMBERS + TEXTS + BOMBS)):
        make, content = rng.choice(bases)
        for _ in range(rng.choice([1, 1, 1, 2, 3])):
            damage = rng.choice(DAMAGES)
            content = damage(content, rng)
        yield damage.__name__, make, content


def in_place_of_a_number(content, piece, rng):
    text = re.sub(r'"sha256": "[^"]*",?\s*', "", content.decode())
    start = text.index('"state"')
    found = rng.choice(list(re.finditer(r"(?<=: )[-+.e0-9]+(?=[,\n])", text[start:])))
    return (text[: start + found.start()] + piece + text[start + found.end() :]).encode()


# -------------------------------------------------------------------- damages to bytes


def flipped_bits(content, rng):
    damaged = bytearray(content)
    for _ in range(rng.choice([1, 1, 2, 8])):
        if damaged:
            damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
    return bytes(damaged)


def truncated(content, rng):
    return content[: rng.randrange(len(content) + 1)]


def patched(content, rng):
    """A piece deleted, doubled, reversed or overwritten."""
    i, j = sorted(rng.randrange(len(content) + 1) for _ in range(2))
    j = min(j, i + rng.choice([0, 1, 10, 10_000]))
    piece = rng.choice([content[i:j] * 2, content[i:j][::-1], *BYTES])
    return content[:i] + piece + content[j:]


def encoded(content, rng):
    """As another program would have written it, or as another kind of file."""
    text = content.decode("latin-1")
    return rng.choice([
        lambda: b"\xef\xbb\xbf" + content, lambda: text.encode("utf-16"), lambda: text.encode("utf-32-le"),
        lambda: gzip.compress(content), lambda: pickle.dumps(text, protocol=0), lambda: pickle.dumps({"w": 1.0}),
        lambda: content.replace(b"\n", b"\r\n"), lambda: content * 2, lambda: content + b"\x00", lambda: b"[" + content + b"]",
        lambda: json.dumps(text).encode(), lambda: content + b" " * 500_000, lambda: b"\xff\xfe" + content,
    ])()  # fmt: skip


# -------------------------------------------------------------------- damages to the JSON


def edited(change):
    """A damage from a function (places, rng), each place being an entry of a list: (list, its index)."""

    def damage(content, rng):
        try:
            tree = json.loads(content, object_pairs_hook=Pairs, parse_int=Raw, parse_float=Raw, parse_constant=Raw)
            places = [place for place in entries(tree) if place]
            if places:
                change(places, rng)
            text = written(tree)
        except (ValueError, RecursionError):  # damaged before
            return flipped_bits(content, rng)
        return with_checksum(text, rng).encode("utf-8", "surrogatepass")

    damage.__name__ = change.__name__
    return damage


def entries(tree):
    """Every entry of every list and object, as (list, index)."""
    if isinstance(tree, list):
        for i, entry in enumerate(tree):
            yield tree, i
            yield from entries(entry[1] if isinstance(tree, Pairs) else entry)


def written(tree):
    """The tree as JSON; pieces stand as they are."""
    if isinstance(tree, Pairs):
        return "{" + ",\n".join(f"{written(name)}: {written(entry)}" for name, entry in tree) + "}"
    if isinstance(tree, list):
        return "[" + ", ".join(map(written, tree)) + "]"
    return str(tree) if isinstance(tree, Raw) else json.dumps(tree)


def put(place, piece):
    entries_, i = place
    entries_[i] = (entries_[i][0], Raw(piece)) if isinstance(entries_, Pairs) else Raw(piece)


def wrong_number(places, rng):
    put(rng.choice(places), rng.choice(NUMBERS))


def wrong_text(places, rng):
    put(rng.choice(places), rng.choice(TEXTS))


def bomb(places, rng):
    put(rng.choice(places), rng.choice(BOMBS))


def renamed(places, rng):
    entries_, i = rng.choice([place for place in places if isinstance(place[0], Pairs)])
    entries_[i] = (Raw(rng.choice(TEXTS)), entries_[i][1])


def removed(places, rng):
    entries_, i = rng.choice(places)
    del entries_[i]


def doubled(places, rng):
    entries_, i = rng.choice(places)
    entries_.insert(rng.randrange(len(entries_) + 1), entries_[i])


def added(places, rng):
    entries_, _ = rng.choice(places)
    piece = Raw(rng.choice(NUMBERS + TEXTS))
    entries_.append((Raw(rng.choice(TEXTS)), piece) if isinstance(entries_, Pairs) else piece)


def exchanged(places, rng):
    """The contents of two places, as of a number and the settings."""
    (a, i), (b, j) = rng.choice(places), rng.choice(places)
    x, y = (x[k][1] if isinstance(x, Pairs) else x[k] for x, k in ((a, i), (b, j)))
    put((a, i), written(y))
    put((b, j), written(x))


def reordered(places, rng):
    rng.shuffle(rng.choice(places)[0])


def other_version(places, rng):
    for entries_, i in places:
        if isinstance(entries_, Pairs) and entries_[i][0] == "version":
            put(
                (entries_, i),
                rng.choice(["1", "2", "3", "999999999999", "0", "-1", "1.0", "true", '"1"', "null", "1e0", "9" * 5000]),
            )


DAMAGES = [flipped_bits, truncated, patched, encoded] + [
    edited(change)
    for change in (wrong_number, wrong_number, wrong_text, bomb, renamed, removed, doubled, added, exchanged, reordered, other_version)
]  # fmt: skip


def with_checksum(text, rng):
    """Half of the damaged files have no checksum, a quarter the right one, and the rest the old one."""
    choice = rng.choice("nno.")
    if choice == "n":
        return re.sub(r'"sha256": "[^"]*",?\s*', "", text)
    try:
        document = json.loads(text)
        numbers = {name: float(x) for name, x in document["state"].items()}
        right = checksum(document.get("model"), numbers, document)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError):
        return text
    return re.sub(r'"sha256": "[^"]*"', f'"sha256": "{right}"', text) if choice == "o" else text


# -------------------------------------------------------------------- a second opinion


class Said:
    """What a file says: the settings (None if there are none), the numbers by name, the names of frozen ones."""

    def __init__(self, settings, state, frozen):
        self.settings, self.state, self.frozen = settings, state, frozen


def checksum(settings, state, document):
    more = {name: document[name] for name in ("frozen", "optimizer") if name in document}
    text = json.dumps({"model": settings, "state": state, **more}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def reading(content):
    """What a file says by its description in `save`; None if it is no model file. Settings are not looked into."""
    if len(content) > 64 * 2**20:
        return None
    try:
        document = json.loads(
            content.decode("utf-8-sig"), object_pairs_hook=once, parse_int=whole, parse_constant=float
        )
        if (
            not isinstance(document, dict)
            or document["format"] != "scalargrad-model"
            or repr(document["version"]) not in ("1", "2")
        ):
            return None
        allowed = {"format", "version", "state", "model", "sha256"}
        if document["version"] == 2:
            allowed |= {"frozen", "optimizer"}
        if not {"format", "version", "state"} <= document.keys() <= allowed:
            return None
        state = document["state"]
        if not isinstance(state, dict) or not all(type(x) in (int, float) and math.isfinite(x) for x in state.values()):
            return None
        state = {name: float(x) for name, x in state.items()}
        settings = document.get("model")
        if "frozen" in document and not (are_names(document["frozen"], state) and document["frozen"]):
            return None
        if "optimizer" in document and not is_progress(document["optimizer"], state):
            return None
        if "sha256" in document and document["sha256"] != checksum(settings, state, document):
            return None
        frozen = set(document.get("frozen", ()))
        return None if "model" in document and settings is None else Said(settings, state, frozen)
    except (ValueError, KeyError, RecursionError):
        return None


def are_names(names, state):
    """Whether it is a list of different names of the state."""
    if not isinstance(names, list) or any(type(name) is not str for name in names):
        return False
    return set(names) <= state.keys() and len(names) == len(set(names))


def is_progress(found, state):
    """Whether it looks like what an optimizer of some parameters of the state gives as its `state_dict()`."""
    wanted = {"kind": str, "steps": int, "settings": dict, "counts": list, "averages": list, "names": list}
    if not isinstance(found, dict) or {name: type(x) for name, x in found.items()} != wanted:
        return False
    columns = [found["counts"], *found["averages"]]
    if not are_names(found["names"], state) or any(type(column) is not list for column in columns):
        return False
    if any(len(column) != len(found["names"]) for column in columns) or {type(x) for x in found["counts"]} - {int}:
        return False
    settings = [part for x in found["settings"].values() for part in (x if type(x) is list else [x])]
    numbers = [x for column in columns for x in column] + [x for x in settings if type(x) is not bool]
    return all(type(x) in (int, float) and math.isfinite(x) for x in numbers)


def once(pairs):
    if len({name for name, _ in pairs}) < len(pairs):
        raise ValueError("a name twice")
    return dict(pairs)


def whole(text):
    """An integer of JSON; what no double holds exactly is the nearest, and -0 has its sign."""
    return float(text) if text == "-0" or len(text) > 16 else int(text)


def alike(theirs, ours):
    """Whether two descriptions are of the same model; whether neurons are fused does not count."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        fused = type(theirs.get("fused", True)) is bool
        return theirs.keys() == ours.keys() and fused and all(alike(theirs[k], ours[k]) for k in ours if k != "fused")
    if isinstance(theirs, list) and isinstance(ours, list):
        return len(theirs) == len(ours) and all(map(alike, theirs, ours))
    same_kind = type(theirs) is type(ours) or (type(theirs) in (int, float) and type(ours) is float)
    return same_kind and theirs == ours
