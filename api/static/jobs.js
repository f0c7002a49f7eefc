// What a job tells: looked up by its id, and shown in a place that has a progress bar and words for its pace.
import { clock, has, t } from "./words.js";

export async function job(id) {
  const response = await fetch(`/api/v1/jobs/${id}`);
  return response.ok ? response.json() : null;
}

export function hasEnded({ state }) {
  return ["done", "failed", "cancelled"].includes(state);
}

export function stageOf({ stage }) {
  return has(`state.${stage}`) ? t(`state.${stage}`) : t("js.waiting");
}

export function show(running, place) {
  const bar = place.querySelector("progress");
  if (bar && running.total) {
    bar.max = running.total;
    bar.value = running.done;
  } else bar?.removeAttribute("value");
  const words = place.querySelector(".pace");
  if (words && running.state === "running") words.textContent = pace(running);
}

// How far the stage is, how long the job has taken, and how long the stage will take.
function pace(running) {
  const parts = running.total ? [t("pace.done", running)] : [];
  parts.push(t("pace.elapsed", { time: clock(running.elapsed_s ?? 0) }));
  if (running.eta_s !== null) parts.push(t("pace.left", { time: clock(running.eta_s) }));
  return parts.join(" · ");
}
