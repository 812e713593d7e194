// Sorting and filtering of the table of repositories. Without it the table is whole, only longer.
const body = document.querySelector("#rows tbody");
const rows = [...body.rows];
const form = document.querySelector("#filter");
const shown = document.querySelector("#shown");
const texts = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));

function matches(row, words, state) {
  const states = row.dataset.state.split(";");
  const wanted = !state || (state === "open" ? states[0] !== "fine" : states.includes(state));
  return wanted && words.every((word) => texts.get(row).includes(word));
}

function filter() {
  const words = form.text.value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const row of rows) {
    row.hidden = !matches(row, words, form.state.value);
    count += !row.hidden;
  }
  shown.textContent = `${count.toLocaleString("en")} of ${rows.length.toLocaleString("en")} repositories`;
}

function sort(head, column) {
  const down = head.getAttribute("aria-sort") === "ascending";
  for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const order = new Intl.Collator("en", { numeric: true });
  const key = new Map(rows.map((row) => [row, row.cells[column].textContent]));
  rows.sort((one, other) => order.compare(key.get(one), key.get(other)) * (down ? -1 : 1));
  body.append(...rows);
}

for (const [column, head] of [...document.querySelectorAll("#rows thead th")].entries()) {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...head.childNodes);
  button.addEventListener("click", () => sort(head, column));
  head.append(button);
}
for (const button of document.querySelectorAll("[data-rule]")) {
  button.addEventListener("click", () => {
    form.text.value = button.dataset.rule;
    form.state.value = "";
    filter();
    document.querySelector("#repositories").scrollIntoView();
  });
}
form.addEventListener("input", filter);
form.addEventListener("submit", (event) => event.preventDefault());
form.hidden = false;
filter();
