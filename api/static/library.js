// Keeping the library: files from the button or dropped anywhere, each with its progress; rows that follow their jobs; removal after a question.
import { hasEnded, job as jobOf, show, stageOf } from "./jobs.js";
import { announce, reason, t } from "./words.js";

const form = document.getElementById("add");
const chooser = document.getElementById("files");
const uploads = document.getElementById("uploads");
const drop = document.getElementById("drop");
const removal = document.getElementById("removal");
const rows = document.getElementById("rows");
const running = new Map(); // job id → the element that shows its upload
const asked = new Map(); // document id → how often its row was asked for: an answer that was overtaken is dropped

// Without the form nobody is logged in who may change anything.
if (form) {
  document.documentElement.classList.add("scripted");
  form.querySelector(".chooser").hidden = false;
  chooser.addEventListener("change", () => {
    take([...chooser.files]);
    chooser.value = "";
  });

  let inside = 0;
  const holdsFiles = (event) => event.dataTransfer?.types.includes("Files");
  addEventListener("dragenter", (event) => {
    if (!holdsFiles(event)) return;
    inside += 1;
    drop.hidden = false;
  });
  addEventListener("dragleave", (event) => {
    if (holdsFiles(event) && --inside <= 0) drop.hidden = true;
  });
  addEventListener("dragover", (event) => holdsFiles(event) && event.preventDefault());
  addEventListener("drop", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    inside = 0;
    drop.hidden = true;
    take([...event.dataTransfer.files]);
  });
}

// One after the other: the server takes them in order, and a slow line is not shared out among many.
async function take(files) {
  const waiting = files.map((file) => [file, entry(file)]);
  for (const [file, item] of waiting) {
    await send(file, item).catch(() => refuse(item, { code: "", title: t("js.offline"), hint: "" }));
  }
}

function entry(file) {
  const item = document.getElementById("upload-template").content.firstElementChild.cloneNode(true);
  item.querySelector(".upload-name").textContent = file.name;
  item.querySelector(".upload-state").textContent = t("js.waiting");
  const dismiss = item.querySelector("button");
  dismiss.textContent = t("js.dismiss");
  dismiss.addEventListener("click", () => forget(item));
  uploads.hidden = false;
  uploads.querySelector("ul").append(item);
  return item;
}

function forget(item) {
  item.remove();
  uploads.hidden = !uploads.querySelector("li");
}

// XMLHttpRequest, because fetch does not tell how much of the body is sent.
function send(file, item) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    const data = new FormData();
    data.append("file", file);
    request.open("POST", "/api/v1/documents");
    request.setRequestHeader("Accept", "application/json");
    request.responseType = "json";
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) progress(item, t("js.uploading", { percent: Math.floor((100 * event.loaded) / event.total) }), event.loaded / event.total);
    });
    request.addEventListener("load", () => resolve(received(request, item)));
    request.addEventListener("error", () => resolve(refuse(item, { code: "", title: t("js.offline"), hint: "" })));
    request.send(data);
  });
}

async function received(request, item) {
  const body = request.response;
  if (!body) return refuse(item, { code: "error", title: request.statusText });
  if (request.status >= 400) return refuse(item, body);
  // An archive or a mail with attachments: each file inside has its own entry, in the place of the one that was sent.
  const items = [item, ...body.documents.slice(1).map((taken) => entry({ name: taken.file_name }))];
  if (items.length > 1) item.querySelector(".upload-name").textContent = body.documents[0].file_name;
  for (const [i, taken] of body.documents.entries()) await outcome(items[i], taken);
}

async function outcome(item, taken) {
  if (taken.problem) return refuse(item, taken.problem);
  if (taken.duplicate) return duplicate(item, taken.document);
  running.set(taken.job.id, item);
  progress(item, t("js.waiting"));
  await row(taken.document.id, { add: true });
  await lookUp(taken.job.id); // a short file may be done before its upload is known here
}

function progress(item, text, share) {
  const bar = item.querySelector("progress");
  item.querySelector(".upload-state").textContent = text;
  if (share === undefined) bar.removeAttribute("value");
  else bar.value = 100 * share;
}

function refuse(item, problem) {
  const { title, hint } = reason(problem);
  end(item, title, hint);
  item.classList.add("bad");
  announce(t("js.refused", { name: item.querySelector(".upload-name").textContent }));
}

function duplicate(item, document_) {
  end(item, t("js.duplicate"), "");
  const link = document.createElement("a");
  link.href = `/documents/${document_.id}`;
  link.textContent = t("js.open_document");
  item.querySelector(".upload-why").append(link);
}

function end(item, state, why) {
  item.querySelector("progress").hidden = true;
  item.querySelector(".upload-state").textContent = state;
  item.querySelector(".upload-why").textContent = why;
  item.querySelector("button").hidden = false;
}

// Rows follow their jobs.
const feed = new EventSource("/api/v1/jobs/events");
const seen = new Map();
feed.addEventListener("job", (event) => follow(JSON.parse(event.data)));
// The server tells only of what is unfinished: what ended before the line stood, or while it was interrupted, is looked up.
feed.addEventListener("open", () => rows.querySelectorAll("tr:has(progress)").forEach((each) => lookUp(each.dataset.job)));

async function lookUp(id) {
  const job = await jobOf(id);
  if (job) await follow(job);
}

async function follow(job) {
  const item = running.get(job.id);
  const stage = stageOf(job);
  const share = job.total ? job.done / job.total : undefined;
  if (item && job.state === "running") {
    progress(item, share === undefined ? stage : t("js.stage", { stage, percent: Math.floor(100 * share) }), share);
  }
  const shown = rows.querySelector(`[data-document="${CSS.escape(job.document_id)}"]`);
  if (!shown) return;
  const before = seen.get(job.id);
  const now = `${job.state} ${job.stage}`;
  seen.set(job.id, now);
  if (before === now) return show(job, shown);
  await row(job.document_id, {});
  if (!hasEnded(job)) return;
  settle(job, item, shown.dataset.title);
  await recount();
}

async function recount() {
  const response = await fetch("/library/count", { headers: { Accept: "text/html" } });
  if (response.ok) document.getElementById("count").outerHTML = await response.text();
}

function settle(job, item, title) {
  if (job.state !== "cancelled" && (item || seen.has(job.id))) announce(t(job.state === "done" ? "js.ready" : "js.failed", { title }));
  if (!item) return;
  running.delete(job.id);
  if (job.error?.document_id) duplicate(item, { id: job.error.document_id });
  else if (job.state === "failed") refuse(item, { code: job.error?.code ?? "", title: t("state.failed"), hint: job.error?.detail });
  else forget(item);
}

async function row(id, { add = false }) {
  const turn = (asked.get(id) ?? 0) + 1;
  asked.set(id, turn);
  const response = await fetch(`/library/rows/${id}`, { headers: { Accept: "text/html" } });
  const html = await response.text();
  if (asked.get(id) !== turn) return;
  const old = rows.querySelector(`[data-document="${CSS.escape(id)}"]`);
  if (response.status === 404) {
    old?.remove();
    return recount();
  }
  if (!response.ok) return;
  const parsed = new DOMParser().parseFromString(html, "text/html").querySelector("tr");
  if (old?.isConnected) {
    // Whoever stands on a link or button of the row keeps it; the state with its progress is a cell of its own.
    if (!old.contains(document.activeElement)) old.replaceWith(parsed);
    else old.querySelector(".state").closest("td").replaceWith(parsed.querySelector(".state").closest("td"));
  } else if (add) {
    rows.prepend(parsed);
    document.getElementById("empty")?.remove();
  }
}

// Removal is asked about first; the dialog's form is the same POST that works without scripts.
rows.addEventListener("click", (event) => {
  const link = event.target.closest("[data-remove]");
  if (!link) return;
  event.preventDefault();
  const title = removal.querySelector("h2");
  title.textContent = title.dataset.title.replace("{title}", link.closest("tr").dataset.title);
  removal.querySelector("form").action = `/library/${link.dataset.remove}/remove`;
  removal.showModal();
});
removal?.querySelector("[data-cancel]").addEventListener("click", () => removal.close());
