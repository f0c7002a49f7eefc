// A document's page follows the job of its newest version, and is loaded anew when that has ended.
import { hasEnded, job, show, stageOf } from "./jobs.js";
import { t } from "./words.js";

const pending = document.getElementById("pending");
const feed = new EventSource("/api/v1/jobs/events");
feed.addEventListener("job", (event) => follow(JSON.parse(event.data)));
// The server tells only of what is unfinished: what ended before, or while it was interrupted, is looked up.
feed.addEventListener("open", async () => follow(await job(pending.dataset.job)));

function follow(told) {
  if (told?.id !== pending.dataset.job) return;
  if (hasEnded(told)) return end();
  pending.querySelector(".state").textContent = stageOf(told);
  show(told, pending);
}

// Who is filling in a form keeps what is written, and is told that there is something to see.
function end() {
  if (feed.readyState === EventSource.CLOSED) return;
  feed.close();
  if (!document.querySelector("main details[open] form, main :is(input, select, textarea):focus")) return location.replace(pending.dataset.after);
  const link = document.createElement("a");
  link.href = pending.dataset.after;
  link.textContent = t("js.reload");
  const told = document.createElement("p");
  told.append(t("js.processed"), " ", link);
  pending.replaceChildren(told);
}
