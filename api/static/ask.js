// Asking: statements as they arrive, and the original beside them. The question goes in the body of a POST and is kept in the history's state,
// so it stands in no address. So is the conversation: a hidden field holds what the next question goes on from, and the server keeps none of it.
import { events } from "./events.js";
import { closeSource, openSource } from "./source.js";
import { announce, day, reason, t } from "./words.js";

const form = document.getElementById("ask");
const box = document.getElementById("question");
const asOf = document.getElementById("as_of");
const answer = document.getElementById("answer");
const body = document.getElementById("answer-body");
const goesOn = form.elements.conversation;
const TURNS = 12;
const TURN_CHARS = 2000;
let asking = null;

form.addEventListener("submit", (event) => {
  event.preventDefault();
  start(box.value);
});
document.querySelector(".examples")?.addEventListener("submit", (event) => {
  event.preventDefault();
  start(event.submitter.value);
});
box.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.keyCode !== 229) {
    event.preventDefault();
    form.requestSubmit();
  }
});
body.addEventListener("click", (event) => {
  const link = event.target.closest("a[href^='/documents/']");
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
  event.preventDefault();
  openSource(link);
});
// Asked again without what was not meant: the completed question, or what is preferred.
body.addEventListener("submit", (event) => {
  const { name, value } = event.submitter ?? {};
  const asked = history.state;
  if (!asked?.question || !name) return;
  event.preventDefault();
  start(asked.question, { ...asked, ...(name === "literal" ? { literal: true } : { without: [...asked.without, value] }) });
});
window.addEventListener("popstate", (event) => restore(event.state));
// The choice of language is made by its link and the page loaded again, which keeps the state: the answer comes back.
document.getElementById("language").addEventListener("click", async (event) => {
  if (!history.state?.question || event.metaKey || event.ctrlKey) return;
  event.preventDefault();
  await fetch(event.currentTarget.href);
  location.reload();
});
if (history.state?.question) restore(history.state);

function start(question, more = {}) {
  if (!question.trim()) return;
  const conversation = JSON.parse(goesOn.value || "[]");
  const asked = { day: asOf.value, conversation, without: [], literal: false, ...more, question };
  history.pushState(asked, "", "/");
  ask(asked);
}

function restore(state) {
  asOf.value = state?.day ?? "";
  asOf.closest("details").open = Boolean(asOf.value);
  if (state?.question) return ask(state);
  asking?.abort();
  goesOn.value = "";
  closeSource();
  document.body.classList.remove("asked");
  answer.hidden = true;
  box.value = "";
  box.focus();
}

async function ask(asked) {
  const { question, day, conversation, without, literal } = asked;
  asking?.abort();
  asking = new AbortController();
  const { signal } = asking;
  show(question);
  try {
    const response = await fetch("/api/v1/ask", {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "text/event-stream, application/problem+json" },
      body: JSON.stringify({
        question,
        mode: "auto",
        stream: true,
        show_withheld: true,
        conversation: literal ? [] : conversation,
        without,
        ...(day ? { filters: { as_of: day } } : {}),
      }),
      signal,
    });
    if (!response.ok) return fail(await response.json());
    await receive(response, signal, asked);
  } catch (error) {
    if (error.name !== "AbortError") fail({ code: "", title: t("js.offline"), hint: "" });
  } finally {
    if (!signal.aborted) answer.removeAttribute("aria-busy");
  }
}

function show(question) {
  document.body.classList.add("asked");
  box.value = question;
  closeSource();
  answer.hidden = false;
  answer.setAttribute("aria-busy", "true");
  const waiting = t("model" in answer.dataset ? "js.asking_model" : "js.asking");
  body.replaceChildren(element("p", "waiting", waiting));
  announce(waiting);
}

// What came in one piece with the end is still shown one by one; another question may be asked meanwhile, and then the page is that one's.
async function receive(response, signal, asked) {
  const citations = new Map();
  const head = dated(asked.day);
  const list = element("ol", "statements");
  list.setAttribute("aria-live", "polite");
  for await (const { name, data } of events(response)) {
    if (signal.aborted) return;
    if (name === "understood") head.unshift(understood(data));
    if (name === "citation") citations.set(data.number, data);
    if (name === "statement") {
      if (!list.isConnected) body.replaceChildren(...head, list);
      list.append(statement(data, citations));
      await breath();
    }
    if (name === "done") {
      keep(asked, data);
      return finish(data, head);
    }
    if (name === "error") return fail(data);
  }
  fail({ code: "", title: t("js.offline"), hint: "" });
}

// What the next question goes on from: the turns before, this question and what was answered.
function keep({ question, conversation }, { statements }) {
  const said = statements.map(({ text }) => text).join("\n");
  const turns = [...conversation, { role: "user", content: question }, { role: "assistant", content: said }];
  const cut = turns.slice(-TURNS).map(({ role, content }) => ({ role, content: [...content].slice(0, TURN_CHARS).join("") }));
  goesOn.value = JSON.stringify(cut);
}

function understood({ question, periods, documents }) {
  const made = fill("understood-template");
  if (question) made.querySelector("q").textContent = question;
  else made.querySelector(".completed").remove();
  const chips = made.querySelector(".chips");
  chips.append(...periods.map((period) => chip(period.text, published(period))));
  for (const text of new Set(documents.map((it) => it.text))) {
    const [first, ...rest] = documents.filter((it) => it.text === text);
    const title = text.includes(first.title) ? "" : first.title;
    chips.append(chip(text, rest.length ? t("ask.documents", { count: rest.length + 1 }) : title));
  }
  if (!chips.children.length) chips.remove();
  return made;
}

function chip(text, more) {
  const item = fill("chip-template");
  const button = item.querySelector("button");
  button.value = text;
  button.setAttribute("aria-label", t("ask.remove", { text }));
  button.querySelector("span").textContent = text;
  if (more) button.querySelector("small").textContent = more;
  else button.querySelector("small").remove();
  return item;
}

function published({ from, to }) {
  if (!to) return t("ask.published_from", { day: day(from) });
  if (!from) return t("ask.published_to", { day: day(to) });
  if (from === to) return t("ask.published_on", { day: day(from) });
  return t("ask.published_between", { first: day(from), last: day(to) });
}

// Statements that come all at once are still shown one after the other, quickly, so that the eye can follow.
function breath() {
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  return new Promise((resolve) => setTimeout(resolve, still ? 0 : 110));
}

function statement(data, citations) {
  const item = fill("statement-template");
  item.querySelector(".words").textContent = data.text;
  item.querySelector(".cites").append(...data.citations.map((number) => cite(citations.get(number))));
  item.classList.add("arriving");
  return item;
}

function cite(citation) {
  const link = fill("citation-template");
  link.href = `${citation.url}#mark`;
  link.dataset.number = citation.number;
  link.textContent = citation.number;
  link.setAttribute("aria-label", t("ask.cite", citation));
  return link;
}

function finish(data, head) {
  if (data.status === "not_in_material") return nothing(data, head);
  const sources = element("ol", "sources");
  sources.append(...data.citations.map(source));
  const facts = element("p", "facts");
  facts.append(
    element("span", "", t(`ask.mode_${data.mode}`)),
    element("span", "", t("ask.confidence", { percent: Math.round(data.confidence * 100) })),
    element("span", "", t("ask.took", { ms: Math.round(data.took_ms) })),
  );
  body.querySelector(".statements").before(...missing(data));
  body.append(...ofModel(data), facts, element("h3", "", t("ask.sources")), sources);
  sayIfOutdated();
  announce(t("js.answered", { count: data.statements.length }));
}

// Why the answer is not the model's, or not all of it; and what the model wrote besides, for who asks to see it.
function ofModel({ fallback, cut_short: cutShort, withheld_statements: withheld }) {
  const told = [];
  if (fallback) told.push(element("p", "model-told", t("ask.fallback", { why: t(`ask.why_${fallback}`) })));
  if (cutShort) told.push(element("p", "model-told", t("ask.cut_short", { why: t(`ask.why_${cutShort}`) })));
  if (withheld?.length) {
    const details = fill("withheld-template");
    details.querySelector("summary").textContent = t("ask.withheld", { count: withheld.length });
    details.querySelector("p").textContent = t("ask.withheld_note");
    details.querySelector("ul").append(...withheld.map(({ text }) => element("li", "", text)));
    told.push(details);
  }
  return told;
}

function source(citation) {
  const item = fill("source-template");
  const link = item.querySelector("a");
  link.href = `${citation.url}#mark`;
  link.dataset.number = citation.number;
  item.querySelector(".number").textContent = citation.number;
  item.querySelector(".unseen").textContent = t("ask.source_number", citation);
  item.querySelector(".name").textContent = citation.title;
  item.querySelector(".where").textContent = place(citation.published_on, [t("ask.page", citation)]);
  item.querySelector("q").textContent = citation.quote;
  item.classList.add("arriving");
  mark(item, citation);
  return item;
}

// What is said of a wording in whose place another stands by now, with the way to that one.
function mark(item, { current, superseded_by: successor }) {
  if (current || item.querySelector(".outdated")) return;
  const note = fill("outdated-template");
  note.querySelector("span").textContent = t("ask.outdated");
  const link = note.querySelector("a");
  if (successor) {
    link.href = successor.url;
    link.textContent = t("ask.now", successor);
  } else link.remove();
  item.append(note);
}

function sayIfOutdated() {
  if (!body.querySelector(".sources .outdated") || document.getElementById("not-current")) return;
  const notice = element("p", "notice", t("ask.cites_outdated"));
  notice.id = "not-current";
  body.querySelector(".statements").before(notice);
  announce(notice.textContent);
}

function dated(day_) {
  return day_ ? [element("p", "as-of-told", t("ask.as_of_told", { day: day(day_) }))] : [];
}

// What the question quotes and no passage has.
function missing({ phrases = [] }) {
  const those = phrases.filter(({ source: why, found }) => why === "quoted" && !found);
  return those.map(({ text }) => element("p", "notice missing", t("ask.phrase_missing", { phrase: text })));
}

// An answer may stay open for hours: when the reader comes back to it, its sources are asked whether they are still current.
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) recheck();
});
addEventListener("focus", recheck);

async function recheck() {
  const items = new Map();
  for (const item of body.querySelectorAll(".sources > li")) {
    const address = new URL(item.querySelector("a").href).pathname;
    items.set(address, [...(items.get(address) ?? []), item]);
  }
  for (const [address, those] of items) {
    try {
      const response = await fetch(`/api/v1${address}/standing`);
      if (!response.ok && response.status !== 404) continue;
      const standing = response.ok ? await response.json() : null;
      for (const item of those) {
        if (standing) mark(item, standing);
        else if (!item.querySelector(".outdated")) item.append(element("p", "outdated", t("ask.gone")));
      }
    } catch {
      return; // the server does not answer: nothing is known anew
    }
  }
  if (answer.getAttribute("aria-busy") !== "true") sayIfOutdated();
}

function nothing(data, head) {
  const verdict = element("div", "nothing");
  verdict.append(
    element("p", "verdict", t("ask.nothing")),
    element("p", "", t(data.nearest.length ? "ask.nothing_more" : "ask.nothing_at_all")),
  );
  body.replaceChildren(...head, ...missing(data), verdict);
  if (data.nearest.length) {
    const list = element("ol", "hits");
    list.append(...data.nearest.map(hit));
    body.append(element("h3", "", t("ask.nearest")), list);
  }
  const facts = element("p", "facts");
  facts.append(element("span", "", t("ask.took", { ms: Math.round(data.took_ms) })));
  body.append(facts);
  announce(t("ask.nothing"));
}

function hit({ passage, ...standing }) {
  const item = fill("hit-template");
  const [start, end] = passage.span;
  item.querySelector("a").href = `/documents/${passage.document_id}/versions/${passage.version}?start=${start}&end=${end}#mark`;
  item.querySelector(".name").textContent = passage.title;
  const details = [t("ask.page", { page: passage.pages[0] }), ...passage.heading_path.slice(-1)];
  item.querySelector(".where").textContent = place(passage.published_on, details);
  item.querySelector(".extract").textContent = passage.text;
  mark(item, standing);
  return item;
}

function place(date, details) {
  return [...(date ? [day(date)] : []), ...details].join(" · ");
}

function fail(problem) {
  const { title, hint } = reason(problem);
  const notice = element("div", "notice bad");
  notice.setAttribute("role", "alert");
  const again = element("button", "", t("js.again"));
  again.type = "button";
  again.addEventListener("click", () => ask(history.state));
  notice.append(element("p", "", title), element("p", "", hint), again);
  body.replaceChildren(notice);
}

function fill(id) {
  return document.getElementById(id).content.firstElementChild.cloneNode(true);
}

function element(name, classes, text = "") {
  const made = document.createElement(name);
  if (classes) made.className = classes;
  made.textContent = text;
  return made;
}
