"use strict";
// Tables: a click on a head sorts, another turns it round; what has no value stays at the end.
for (const table of document.querySelectorAll("table.data")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = head.querySelector("button");
    if (button) button.addEventListener("click", () => sortTable(table, heads, column));
  });
  // A browser takes seconds to lay thousands of rows out: the style shows the first 200 until all are asked for.
  const all = document.getElementById(table.id + "-all");
  if (all) all.addEventListener("click", () => { table.classList.add("all"); all.remove(); });
}

function sortTable(table, heads, column) {
  const direction = heads[column].getAttribute("aria-sort") === "ascending" ? -1 : 1;
  heads.forEach((head) => head.hasAttribute("aria-sort") && head.setAttribute("aria-sort", "none"));
  heads[column].setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
  const rows = [...table.tBodies[0].rows].map((row) => [row.cells[column].dataset.value, row]);
  rows.sort(([a], [b]) => {
    if (a === "" || b === "") return (a === "") - (b === "");
    const difference = Number(a) - Number(b);
    return direction * (Number.isNaN(difference) ? a.localeCompare(b) : difference);
  });
  table.tBodies[0].replaceChildren(...rows.map(([, row]) => row));
}

// Film: pictures one after the other; the ring follows the cell that was asked for.
const film = document.getElementById("film");
if (film) startFilm();

function startFilm() {
  const part = (name) => document.getElementById("film-" + name);
  const facts = JSON.parse(part("data").textContent);
  const pictures = [part("picture").src, ...facts.frames.map((frame) => "data:image/webp;base64," + frame)];
  let shown = 0, timer = null, cell = null, from = 0, until = pictures.length - 1;

  function show(number) {
    shown = number;
    part("picture").src = pictures[number];
    part("slider").value = number;
    const frame = number * facts.stride;
    const minutes = Math.round(frame * facts.minutes);
    const time = Math.floor(minutes / 60) + ":" + String(minutes % 60).padStart(2, "0") + " h";
    const stamp = "frame " + frame + ", " + time + (cell === null ? "" : ", ring about cell " + cell);
    part("stamp").textContent = stamp;
    part("slider").setAttribute("aria-valuetext", stamp);
    placeRing(frame);
  }

  function placeRing(frame) {
    const path = facts.positions[cell];
    const at = path ? 1 + 2 * (frame - path[0]) : -1;
    const there = at >= 1 && at < path.length && path[at] !== null;
    part("ring").hidden = !there;
    if (there) {
      part("ring").style.left = path[at] / 10 + "%";
      part("ring").style.top = path[at + 1] / 10 + "%";
    }
  }

  function step(by) {
    const count = until - from + 1;
    show(from + ((((shown - from + by) % count) + count) % count));
  }

  function play(on) {
    clearInterval(timer);
    timer = on ? setInterval(() => step(1), 1000 / Number(part("speed").value)) : null;
    part("play").textContent = on ? "Pause" : "Play";
  }

  function wholeFilm() {
    from = 0;
    until = pictures.length - 1;
  }

  part("play").addEventListener("click", () => play(timer === null));
  part("speed").addEventListener("change", () => play(timer !== null));
  part("back").addEventListener("click", () => { play(false); wholeFilm(); step(-1); });
  part("on").addEventListener("click", () => { play(false); wholeFilm(); step(1); });
  part("slider").addEventListener("input", () => { play(false); wholeFilm(); show(Number(part("slider").value)); });
  for (const button of document.querySelectorAll("button.show")) {
    button.addEventListener("click", () => {
      const frames = [button.dataset.first, button.dataset.last].map((frame) => Number(frame) / facts.stride);
      cell = button.dataset.cell;
      from = Math.max(0, Math.floor(frames[0]) - 1);
      until = Math.min(pictures.length - 1, Math.ceil(frames[1]) + 1);
      show(from);
      play(true);
      film.scrollIntoView({ block: "nearest" });
      part("play").focus({ preventScroll: true });
    });
  }
  show(0);
}
