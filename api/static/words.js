// What the modules say, in the language of the page.
const words = JSON.parse(document.getElementById("words").textContent);

export function t(key, facts = {}) {
  return words[key].replace(/\{(\w+)\}/g, (_, name) => String(facts[name]));
}

export function has(key) {
  return key in words;
}

export function day(iso) {
  const form = { day: "numeric", month: document.documentElement.lang === "en" ? "short" : "long", year: "numeric", timeZone: "UTC" };
  return new Intl.DateTimeFormat(document.documentElement.lang === "en" ? "en-GB" : "zh-CN", form).format(new Date(iso));
}

// A length of time in seconds: minutes and seconds, with hours where there are any.
export function clock(seconds) {
  const whole = Math.round(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (count) => String(count).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

// A problem of the API (RFC 9457) as title and advice in the language of the page.
export function reason(problem) {
  const title = has(`error.${problem.code}.title`) ? t(`error.${problem.code}.title`) : problem.title;
  const hint = has(`error.${problem.code}.hint`) ? t(`error.${problem.code}.hint`) : problem.hint || problem.detail || "";
  return { title, hint };
}

export function announce(text) {
  document.getElementById("announce").textContent = text;
}
