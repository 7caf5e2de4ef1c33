  // A number as people write it: −0.5, 0,5, 1/4, 2e-3; NaN for anything else but nan, which is null.
  function numberIn(text) {
    const parts = text.replaceAll("\u2212", "-").replaceAll("\u2013", "-").replaceAll("∞", "inf").split("/");
    const [top, bottom] = [...parts, "1"].map((part) => {
      const word = part.trim().toLowerCase().replace(/^([-+])\s+/, "$1").replace(",", ".");
      if (/^[-+]?inf(inity)?$/.test(word)) return word.startsWith("-") ? -Infinity : Infinity;
      if (/^[-+]?nan$/.test(word)) return null;
      return /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/.test(word) ? Number(word) : NaN;
    });
    if (parts.length > 2 || (parts.length === 2 && !bottom)) return NaN;
    return top === null ? null : top / bottom;
  }

  // Whether an answer is [number, its leeway if that is not the usual one], where nan is written null.
  function agrees(answer, [number, leeway = data.leeway]) {
    if (answer === null || number === null || !isFinite(answer) || !isFinite(number)) return answer === number;
    return Math.abs(answer - number) <= leeway;
  }
