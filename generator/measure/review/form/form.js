"use strict";
// Texts are untrusted: they reach the page as text nodes only. Nothing is loaded, nothing is sent.
const data = JSON.parse(document.getElementById("data").textContent);
const part = (id) => document.getElementById(id);
const KEY = `prior-art-review-${data.form}`;

let kept = { rater: "", answers: {}, at: 0 };
let storage = true;

function say(text) {
  part("status").textContent = text;
}

function load() {
  try {
    const found = JSON.parse(localStorage.getItem(KEY) || "null");
    if (found && typeof found.answers === "object") kept = { ...kept, ...found };
  } catch {
    storage = false;
  }
  kept.at = Math.min(Math.max(0, Number(kept.at) || 0), data.items.length - 1);
}

function save() {
  try {
    localStorage.setItem(KEY, JSON.stringify(kept));
  } catch {
    storage = false;
  }
  if (!storage) say("This browser keeps nothing: download your answers before you close the page.");
}

const answersOf = (item) => kept.answers[item.id] || {};
const isAnswered = (item) => data.questions.every((question) => answersOf(item)[question.name]);

function count() {
  const done = data.items.filter(isAnswered).length;
  part("progress").max = data.items.length;
  part("progress").value = done;
  part("progress-text").textContent = `${done} of ${data.items.length} texts answered`;
  part("open").disabled = done === data.items.length;
}

function note(name, value) {
  const item = data.items[kept.at];
  const answers = { ...answersOf(item) };
  if (value) answers[name] = value;
  else delete answers[name];
  if (Object.keys(answers).length) kept.answers[item.id] = answers;
  else delete kept.answers[item.id];
  save();
  count();
}

function question(one) {
  const fieldset = document.createElement("fieldset");
  const legend = document.createElement("legend");
  legend.textContent = one.text;
  fieldset.append(legend);
  for (const [value, text] of one.choices) {
    const label = document.createElement("label");
    const input = document.createElement("input");
    Object.assign(input, { type: "radio", name: one.name, value });
    input.addEventListener("change", () => note(one.name, value));
    label.append(input, text);
    fieldset.append(label);
  }
  return fieldset;
}

function show(at, focus) {
  kept.at = at;
  const item = data.items[at];
  part("place").textContent = `Text ${at + 1} of ${data.items.length}`;
  part("title").textContent = item.title;
  part("abstract").textContent = item.abstract;
  part("claims").replaceChildren(...item.claims.map((claim) => {
    const line = document.createElement("li");
    line.textContent = claim;
    return line;
  }));
  const answers = answersOf(item);
  for (const input of part("questions").querySelectorAll("input")) input.checked = answers[input.name] === input.value;
  part("remark").value = answers.remark || "";
  part("back").disabled = at === 0;
  part("next").disabled = at === data.items.length - 1;
  save();
  count();
  if (focus) {
    part("place").focus({ preventScroll: true });
    part("text").scrollIntoView();
  }
}

function download() {
  kept.rater = part("rater").value.trim();
  if (!kept.rater) {
    say("Enter your name first: answers are compared by rater.");
    part("rater").focus();
    return;
  }
  const answers = { schema: data.schema, form: data.form, rater: kept.rater, answers: kept.answers };
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(answers, null, 1)], { type: "application/json" }));
  const name = kept.rater.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "") || "rater";
  link.download = `review-${data.form.slice(0, 8)}-${name}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  const open = data.items.filter((item) => !isAnswered(item)).length;
  say(open ? `Downloaded. ${open} texts are not answered in full yet.` : "Downloaded. Every text is answered; thank you.");
}

load();
part("questions").append(...data.questions.map(question));
part("rater").value = kept.rater;
part("rater").addEventListener("input", () => { kept.rater = part("rater").value.trim(); save(); });
part("remark").addEventListener("input", () => note("remark", part("remark").value.trim()));
part("back").addEventListener("click", () => show(kept.at - 1, true));
part("open").addEventListener("click", () => {
  const order = [...data.items.keys()].map((n) => (kept.at + 1 + n) % data.items.length);
  const at = order.find((n) => !isAnswered(data.items[n]));
  if (at !== undefined) show(at, true);
});
part("form").addEventListener("submit", (event) => {
  event.preventDefault();
  if (kept.at < data.items.length - 1) show(kept.at + 1, true);
});
part("download").addEventListener("click", download);
show(kept.at, false);
