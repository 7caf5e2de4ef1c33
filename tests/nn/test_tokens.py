"""Texts become tokens and come back, and samples are drawn with the probabilities of softmax

The names are those of the source, in its order. Whatever text a Tokenizer was made of, it brings back; sampling uses the
generator as `random.choices` does, in the right proportions, at every temperature; what is no token, text or logit is
refused in words.
"""

import math
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sizes import has_full_size, size

import scalargrad
from scalargrad import Value, nn


def test_the_names_are_there():
    names = nn.names()
    assert len(names) == 32_033
    assert names[:3] == ["emma", "olivia", "ava"]
    assert names[-1] == "zzyzx"
    assert len(set(names)) == 29_494
    assert {len(name) for name in names} == set(range(2, 16))
    assert "".join(sorted(set("".join(names)))) == "abcdefghijklmnopqrstuvwxyz"
    names.clear()
    assert len(nn.names()) == 32_033


def test_tokens_of_names_are_their_letters():
    tokenizer = nn.Tokenizer(nn.names())
    assert (tokenizer.bos, len(tokenizer)) == (26, 27)
    assert tokenizer.encode("az") == [26, 0, 25, 26]
    assert tokenizer.encode("") == [26, 26]


@given(st.lists(st.text(), min_size=1).filter(any))
def test_every_text_comes_back(texts):
    tokenizer = nn.Tokenizer(texts)
    assert tokenizer.characters == sorted(tokenizer.characters)
    for text in texts:
        tokens = tokenizer.encode(text)
        assert tokens[0] == tokens[-1] == tokenizer.bos == len(tokenizer) - 1
        assert all(0 <= token < tokenizer.bos for token in tokens[1:-1])
        assert tokenizer.decode(tokens) == tokenizer.decode(tokens[1:-1]) == text
        assert tokenizer.decode([Value(float(token)) for token in tokens]) == text


scores = st.lists(st.floats(-30, 30), min_size=1, max_size=8)


@given(scores, st.floats(0.1, 10), st.integers(0, 2**32))
def test_the_generator_is_used_as_random_choices_uses_it(logits, temperature, seed):
    weights = [math.exp((x - max(logits)) / temperature) for x in logits]
    expected = random.Random(seed).choices(range(len(logits)), weights)[0]
    assert nn.sample(logits, temperature, seed=seed) == expected
    rng = random.Random(seed)
    assert nn.sample([Value(x) for x in logits], temperature, rng=rng) == expected
    other = random.Random(seed)
    other.random()
    assert rng.random() == other.random()


@given(scores, st.integers(0, 100))
def test_temperature_0_gives_the_largest_and_draws_nothing(logits, seed):
    rng = random.Random(seed)
    assert nn.sample(logits, 0, rng=rng) == logits.index(max(logits))
    assert rng.random() == random.Random(seed).random()


@has_full_size
@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_proportions_are_those_of_softmax(temperature):
    logits, rng, n = [0.0, 1.0, -2.0, 2.0], random.Random(1), size(4000, 100_000)
    counts = Counter(nn.sample(logits, temperature, rng=rng) for _ in range(n))
    for i, p in enumerate(nn.softmax([x / temperature for x in logits])):
        assert abs(counts[i] - n * p) < 5 * math.sqrt(n * p * (1 - p))


def test_what_has_no_probability_is_never_drawn():
    class Last:
        """Draws the largest number below 1."""

        gauss = shuffle = None

        def uniform(self, low, high):
            return math.nextafter(1.0, 0.0) if hasattr(math, "nextafter") else 1.0 - 2.0**-53

    assert nn.sample([-math.inf, 0.0, 1.0, -math.inf], rng=Last()) == 2
    assert nn.sample([-math.inf, 0.0, -800.0], rng=Last()) == 1
    assert {nn.sample([-math.inf, 0.0, -math.inf], seed=seed) for seed in range(20)} == {1}


REFUSED = [
    (lambda: nn.Tokenizer([]), ValueError, "no character in the texts"),
    (lambda: nn.Tokenizer(["a", 1]), TypeError, "text 1 must be a string, as 'emma', not int"),
    (lambda: nn.Tokenizer(3), TypeError, "Tokenizer: texts must be a list"),
    (lambda: nn.Tokenizer(["abc"]).encode("abba!"), ValueError, "'!' in 'abba!' is none of the 3 characters of this Tokenizer, 'abc'"),
    (lambda: nn.Tokenizer(["abc"]).encode(["a"]), TypeError, "encode: the text must be a string"),
    (lambda: nn.Tokenizer(["abc"]).decode([0, 4]), ValueError, "token 1 is 4, but tokens are whole numbers from 0 to 3"),
    (lambda: nn.Tokenizer(["abc"]).decode([-1]), ValueError, "token 0 is -1"),
    (lambda: nn.Tokenizer(["abc"]).decode([0.5]), ValueError, "token 0 is 0.5"),
    (lambda: nn.Tokenizer(["abc"]).decode([math.nan]), ValueError, "token 0 is nan"),
    (lambda: nn.Tokenizer(["abc"]).decode(["a"]), TypeError, "token 0 must be a real number, not str"),
    (lambda: nn.sample([]), ValueError, "no logit"),
    (lambda: nn.sample([1.0, math.nan]), ValueError, "logit 1 is nan"),
    (lambda: nn.sample([1.0, math.inf]), ValueError, "logit 1 is inf"),
    (lambda: nn.sample([-math.inf]), ValueError, "all logits are -inf"),
    (lambda: nn.sample([1.0], -0.1), ValueError, "temperature must be a number from 0 up"),
    (lambda: nn.sample([1.0], math.inf), ValueError, "temperature must be a number from 0 up"),
    (lambda: nn.sample([1.0], seed=1, rng=random.Random()), ValueError, "seed= and rng= were both given"),
    (lambda: nn.sample(["a"]), TypeError, "logit 0 must be a real number, not str"),
    (lambda: scalargrad.compile(lambda x: x * nn.sample([x, 0.0]))(1.0), TypeError, "a replay would not draw again"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "message"), REFUSED)
def test_what_is_no_token_text_or_logit_is_refused_in_words(call, kind, message):
    with pytest.raises(kind, match=message):
        call()
