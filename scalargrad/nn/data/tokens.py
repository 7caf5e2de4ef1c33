"""Texts as tokens, numbers from 0 up, and back; and the next token drawn from scores."""

from __future__ import annotations

import math
from bisect import bisect
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Any

from scalargrad.nn.arguments.randomness import RandomSource, random_source
from scalargrad.node.mode import being_compiled
from scalargrad.node.numbers import plain_number
from scalargrad.support.arguments import brief, items, real


class Tokenizer:
    """A token for each character of some texts, in alphabetical order, and one that stands before and behind a text.

    Args:
        texts: a list of texts, or one.

    Attributes:
        characters: the different characters, sorted; the token of each is its index.
        bos: the token at the beginning and at the end, the number behind the last character's.

    Raises:
        TypeError: if texts is no list of texts.
        ValueError: if there is no character in them.

    >>> tokenizer = Tokenizer(["emma", "ava"])
    >>> tokenizer.characters, tokenizer.bos, len(tokenizer)
    (['a', 'e', 'm', 'v'], 4, 5)
    >>> tokenizer.encode("eva"), tokenizer.decode([4, 1, 3, 0, 4])
    ([4, 1, 3, 0, 4], 'eva')
    """

    def __init__(self, texts: Iterable[str]) -> None:
        given = [texts] if isinstance(texts, str) else items(texts, "Tokenizer: texts", "['emma', 'ava']")
        for i, text in enumerate(given):
            _check_text(text, f"Tokenizer: text {i}")
        self.characters = sorted(set("".join(given)))
        if not self.characters:
            raise ValueError("Tokenizer: there is no character in the texts: give those that will be encoded")
        self.bos = len(self.characters)
        self._tokens = {character: i for i, character in enumerate(self.characters)}

    def encode(self, text: str) -> list[int]:
        """Return the tokens of a text, between two of `bos`.

        Raises:
            TypeError: if it is no text.
            ValueError: if it has a character that the texts had not.
        """
        _check_text(text, "encode: the text")
        unknown = next((character for character in text if character not in self._tokens), None)
        if unknown is not None:
            raise ValueError(
                f"encode: {unknown!r} in {brief(text)} is none of the {self.bos} characters of this Tokenizer, "
                f"{brief(''.join(self.characters))}: make it of texts that have it"
            )
        return [self.bos, *(self._tokens[character] for character in text), self.bos]

    def decode(self, tokens: Iterable[Any]) -> str:
        """Return the text of tokens, `bos` left out wherever it stands.

        Args:
            tokens: whole numbers, as ints, floats or Values.

        Raises:
            TypeError: if they are no list of numbers.
            ValueError: if one of them is no token.
        """
        if being_compiled():
            raise TypeError("decode gives a text, which a replay would not make again: call it outside")
        found = []
        for i, token in enumerate(items(tokens, "decode: tokens", "[26, 4, 26]")):
            x = real(plain_number(token), f"decode: token {i}")
            if not (x.is_integer() and 0 <= x <= self.bos):
                raise ValueError(
                    f"decode: token {i} is {x:g}, but tokens are whole numbers from 0 to {self.bos}, which is bos"
                )
            if x != self.bos:
                found.append(self.characters[int(x)])
        return "".join(found)

    def __len__(self) -> int:
        return self.bos + 1

    def __repr__(self) -> str:
        return f"Tokenizer({brief(''.join(self.characters))})"


def _check_text(text: Any, what: str) -> None:
    if not isinstance(text, str):
        raise TypeError(f"{what} must be a string, as 'emma', not {type(text).__name__}")


def sample(
    logits: Sequence[Any], temperature: float = 1.0, *, seed: int | None = None, rng: RandomSource | None = None
) -> int:
    """Return an index, drawn with the probabilities softmax(logits / temperature).

    The logits' numbers are used and no graph is built. Weights are drawn from as `random.choices` does: with the same
    generator and one number drawn for each index.

    Args:
        logits: a list of k Values or numbers; one of -inf is never drawn.
        temperature: 1 draws with the probabilities of softmax; less makes what is likely likelier; 0 gives the index of
            the largest, the first of equal ones, and draws nothing.
        seed: seeds a generator for this one call. In a loop give rng, or each call draws alike.
        rng: or a `random.Random` to draw from; without either, Python's global `random`.

    Raises:
        ValueError: if there is no logit, one is nan or inf, none is above -inf, or temperature is negative or infinite.
        TypeError: if a logit is no number, or inside a function that is recorded to be replayed.

    >>> sample([1.0, 3.0, 2.0], temperature=0), sample([0.0, 50.0, 0.0])
    (1, 1)
    """
    if being_compiled():
        raise TypeError("sample draws a plain number, and a replay would not draw again: call it outside")
    given = items(logits, "sample: logits", "[0.5, -1.0]")
    if not given:
        raise ValueError("sample: there is no logit: give one for each class")
    numbers = [real(plain_number(x), f"sample: logit {i}") for i, x in enumerate(given)]
    for i, x in enumerate(numbers):
        if not x < math.inf:
            raise ValueError(f"sample: logit {i} is {x!r}, so that there are no probabilities")
    top = max(numbers)
    if top == -math.inf:
        raise ValueError("sample: all logits are -inf, so that there are no probabilities")
    temperature = real(temperature, "sample: temperature")
    if not 0 <= temperature < math.inf:
        raise ValueError(f"sample: temperature must be a number from 0 up, as 0.8, not {temperature!r}")
    source = random_source(seed, rng)
    if temperature == 0:
        return numbers.index(top)
    totals = list(accumulate(math.exp((x - top) / temperature) for x in numbers))
    last = totals.index(totals[-1])  # of those that have a probability
    return bisect(totals, source.uniform(0.0, 1.0) * totals[-1], 0, last)
