"use strict";
{
  const form = document.getElementById("search");
  const rows = [...document.querySelectorAll(".network tbody tr")].map((row) => ({
    row,
    kind: row.dataset.kind,
    // What a node reads is left out: a search for layer3 is not one for what comes behind it.
    text: `${row.cells[0].textContent} ${row.cells[1].textContent.replace(/(, from | of ).*$/, "")}`.toLowerCase(),
    counts: [row.cells[3], row.cells[5]].map((cell) => Number(cell.textContent.replace(/[^0-9]/g, ""))),
  }));
  const filter = () => {
    const words = form.elements.words.value.toLowerCase().split(/\s+/).filter(Boolean);
    const kind = form.elements.kind.value;
    const sums = [0, 0];
    let shown = 0;
    for (const { row, kind: own, text, counts } of rows) {
      const found = (!kind || own === kind) && words.every((word) => text.includes(word));
      row.hidden = !found;
      if (found) {
        shown += 1;
        counts.forEach((count, place) => { sums[place] += count; });
      }
    }
    const [parameters, macs] = sums.map((sum) => sum.toLocaleString("en-US"));
    form.elements.found.value = `${shown} of ${rows.length} layers: ${parameters} parameters, ${macs} MACs`;
  };
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  filter();
}
