// The original beside the answer: the server sets and marks it, this puts it in its place and brings the mark into view.
import { announce, t } from "./words.js";

const pane = document.getElementById("source");
const desk = document.querySelector(".desk");
let opener = null;
let latest = 0;

pane.addEventListener("click", (event) => {
  const swap = event.target.closest("[data-swap]");
  if (event.target.closest("[data-close]")) closeSource({ back: true });
  else if (swap) {
    event.preventDefault();
    load(swap.dataset.swap);
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !pane.hidden) closeSource({ back: true });
});

export async function openSource(link) {
  opener = link;
  for (const each of document.querySelectorAll(".answer [aria-current]")) each.removeAttribute("aria-current");
  for (const each of document.querySelectorAll(".answer [data-number]")) {
    if (each.dataset.number === link.dataset.number) each.setAttribute("aria-current", "true");
  }
  const address = new URL(link.href);
  await load(`${address.pathname}/excerpt${address.search}`);
}

export function closeSource({ back = false } = {}) {
  if (pane.hidden) return;
  latest += 1;
  pane.hidden = true;
  pane.replaceChildren();
  desk.classList.remove("open");
  for (const each of document.querySelectorAll(".answer [aria-current]")) each.removeAttribute("aria-current");
  if (back) opener?.focus();
}

async function load(address) {
  const mine = ++latest;
  if (pane.hidden) {
    pane.hidden = false;
    desk.classList.add("open");
    pane.replaceChildren(line("waiting", t("js.loading")));
  }
  try {
    const response = await fetch(address, { headers: { Accept: "text/html" } });
    if (!response.ok) throw new Error(response.statusText);
    const html = await response.text();
    if (mine === latest) await put(html);
  } catch {
    if (mine === latest) fail();
  }
}

async function put(html) {
  // The server's own markup, every piece of material escaped in it; scripts in it would not run in any case.
  pane.innerHTML = html;
  const below = matchMedia("(max-width: 63.99rem)").matches;
  const smooth = matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
  if (below) pane.scrollIntoView({ behavior: smooth, block: "start" });
  pane.focus({ preventScroll: true });
  announce(pane.querySelector("h2").textContent);
  const image = pane.querySelector("img");
  if (image) await image.decode().catch(() => missing(image));
  const body = pane.querySelector(".pane-body");
  const mark = pane.querySelector("#mark");
  if (!mark) return;
  const above = mark.getBoundingClientRect().top - body.getBoundingClientRect().top;
  body.scrollTop += above - body.clientHeight / 3;
}

// The page could not be drawn: show its text instead.
function missing(image) {
  const swap = pane.querySelector("[data-swap]");
  if (image.isConnected && swap) load(swap.dataset.swap);
}

function fail() {
  const link = line("notice bad", t("js.source_failed"));
  const go = document.createElement("a");
  go.href = opener.href;
  go.textContent = t("ask.open");
  link.append(" ", go);
  pane.replaceChildren(link);
}

function line(classes, text) {
  const made = document.createElement("p");
  made.className = classes;
  made.textContent = text;
  return made;
}
