// Excerpts in search results are fetched from the pages, which a browser refuses to a page that was opened from a file.
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;

// A picture that fits the page only with letters too small to read gets a button for its full size.
function offerFullSize() {
  for (const picture of document.querySelectorAll(".picture:not(.full)")) {
    const svg = picture.querySelector("svg"), button = picture.querySelector(".size");
    const small = svg.clientWidth && svg.clientWidth < 0.75 * svg.viewBox.baseVal.width;
    if (small && !button) picture.prepend(sizeButton(picture));
    if (!small && button) button.remove();
  }
}

function sizeButton(picture) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "size";
  button.textContent = "Full size";
  button.addEventListener("click", () => {
    button.textContent = picture.classList.toggle("full") ? "Fit the page" : "Full size";
  });
  return button;
}

addEventListener("DOMContentLoaded", offerFullSize);
addEventListener("resize", offerFullSize);
