/* The verification box: compares all that this page shows with the record that it carries, and that with the log's
   evidence and key, in the reader's browser; nothing is fetched. generator/verify/page.py does the same with more checks.
   A good result is a state of <press-verdict>, shown by the style sheet: it is no part of a saved or printed page. */
"use strict";
(() => {
  const box = document.querySelector(".press-verify");
  const verdict = box?.querySelector("press-verdict");
  const { Failed, Unchecked, check, decode, parseEvidence, checkSignature, checkEvidence } = globalThis.pressLog;
  if (!verdict) return;
  const status = box.querySelector(".press-status");
  const here = [...status.childNodes]; // the instructions for readers without script; they stay below the result

  const LABELS = new Set([
    "Abstract", "Applicant (SB/08", "BibTeX", "Both stay, each with its own number", "CSL-JSON",
    "Citation and evidence", "Cite", "Claim tree", "Claims", "Created", "Description", "Direction",
    "Direction of writing", "EPO search report", "Examiner (PTO-892", "Existed by", "Files", "How it was made",
    "Licence", "Log", "Model", "Model licence", "Nothing described here was built or tested, and this is not a patent",
    "Nothing described here was built or tested, and this is not a patent. It was written by a", "Place in the log",
    "Prior Art Press", "Program", "Public by", "Published", "Publisher", "RIS", "Record SHA-256", "Reference managers",
    "Removed claims", "Review", "Seed", "Status", "Superseded", "Third party (37 CFR 1.290", "This",
    "To check this sheet, type: prior-art verify", "UTC", "WIPO ST.14", "Weights SHA-256", "a", "by",
    "by the publisher's clock", "by the publisher's clock, entry", "entry", "evidence", "index",
    "machine-generated, not a patent", "no capture by others", "no time-stamp by others", "none yet",
    "not stamped yet", "not yet", "not yet published", "of the draft failed a check and were taken out",
    "of the log", "proof", "published",
    "publisher's statement", "record", "reviewed", "superseded by", "supersedes", "text",
    "that is too small to write useful inventions", "topic given", "volume",
  ]);
  const TAGS = new Set(("a article aside b br button code dd details div dl dt em h1 h2 h3 i li nav ol p pre press-verdict"
    + " section span strong summary time ul").split(" "));
  const PARTS = new Set("judgement,remarks of the checks,classes,instructions,listings,contents,similar disclosures,pin cite,statements of others".split(","));
  const CITATION = new Set(("256 ab accessed any art au author by da date dd disclosure document er from generated genre id if"
    + " institution internet issued item kw la language literal m3 machine mm month n1 not note number of on"
    + " online or pages parts passages pb place publication published publisher py record report retrieved rprt"
    + " sha sn techreport the ti title ty type ur url urldate whole y2 year yet yyyy").split(" "));
  const SHOWN = ("abbr alt aria-description aria-label aria-placeholder aria-roledescription aria-valuetext data-copy"
    + " data-inid label placeholder summary title").split(" ");
  const NUMBER = /^[A-Z]{2,8}-[0-9]{7,15}$/;
  const trim = (text) => text.replace(/\s+/g, " ").replace(/^[ ().,:;·]+|[ ().,:;·]+$/g, "");
  const short = (text) => JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);

  /* Facts by name, in the order of the page. Text that is neither fact, label nor marked as no evidence is refused. */
  function walk(element, facts, inPlace) {
    const part = element.dataset.notEvidence;
    if (part) {
      check(PARTS.has(part) && !inPlace && !element.querySelector("[data-fact]"), `${short(part)} stands in the disclosure's place`);
      return;
    }
    check(TAGS.has(element.localName), `an element ${element.localName} stands in the disclosure's place`);
    check(!["hidden", "style", "popover", "inert"].some((name) => element.hasAttribute(name)), `an element ${element.localName} is styled or hidden`);
    for (const name of SHOWN.filter((one) => element.hasAttribute(one))) {
      const text = element.getAttribute(name);
      const copied = element.localName === "button" && (/^Copy citation of (claim|paragraph) [0-9]{1,4}$/.test(text) || LABELS.has(trim(text.replace(/^Copy /, ""))));
      check(copied || (name === "data-inid" ? /^[0-9]{2}$/.test(text) : LABELS.has(trim(text))), `text that is not the record's, ${name}: ${short(text)}`);
    }
    if (element.dataset.fact) {
      (facts[element.dataset.fact] ||= []).push(element);
      return;
    }
    if (element.localName === "pre") return;
    if (element.localName === "button") return check(["", "Copy"].includes(element.textContent), `a button says ${short(element.textContent)}`);
    const place = inPlace || element.classList.contains("press-text");
    for (const child of element.childNodes) {
      if (child.nodeType === Node.ELEMENT_NODE) walk(child, facts, place);
      else if (child.nodeType === Node.TEXT_NODE && trim(child.data)) {
        check(LABELS.has(trim(child.data)), `text that is not the record's stands on this page: ${short(child.data.trim())}`);
      }
    }
  }

  /* The text of an element without what belongs to the page: paragraph numbers and copy buttons. */
  function shown(element) {
    const copy = element.cloneNode(true);
    copy.querySelectorAll("button").forEach((extra) => {
      check(extra.textContent === "", `a button says ${short(extra.textContent)}`);
      extra.remove();
    });
    const number = copy.querySelector(":scope > a.n");
    if (number) {
      check(number.textContent === `[${element.id.slice(2)}]`, `a paragraph is numbered ${short(number.textContent)}`);
      number.remove();
    }
    check([...copy.querySelectorAll("*")].every((one) => ["a", "code"].includes(one.localName)), "an element stands in a text of the record");
    return number ? copy.textContent.replace(/^ /, "") : copy.textContent;
  }

  /* The texts of each fact, in the order of the page; none for a fact that the record does not have. */
  function expected(record, evidence, digest, number) {
    const made = record.generation;
    const own = record.description.filter((one) => one.origin === "model"); // the page shows no restatement
    const other = (serial) => (serial === null ? [] : [`${number.slice(0, number.lastIndexOf("-"))}-${String(serial).padStart(7, "0")}`]);
    const time = evidence.published?.time;
    return {
      number: [number, number], title: [record.title], abstract: [record.abstract],
      claim: record.claims.map((claim) => claim.text), paragraph: own.map((one) => one.text),
      origin: origin(own.length, record.description.length - own.length),
      published: time ? [time, time] : ["Not yet published"], created: [record.created_at],
      publisher: [record.publisher], review: [record.review === "machine-checked" ? "passed the checks of form; no person has reviewed it" : record.review], license: ["CC0-1.0"], sha256: [digest, digest],
      index: [String(evidence.serial)], volume: [String(evidence.serial / 8192n)],
      entry: evidence.published ? [String(evidence.published.index)] : [], ai_generated: ["Machine-generated text."],
      demonstration: made.demonstration ? ["demonstration model", "demonstration model"] : [],
      model: [made.model], revision: [made.revision ?? made.model_revision], weights_sha256: [made.weights_sha256],
      model_license: [made.model_license], model_attribution: [made.model_attribution], direction: [made.direction],
      topic: made.topic ? [made.topic] : [], combination: combination(made.topic_symbols || [], made.topic_rule || ""), seed: [made.seed], generator_version: [made.generator_version],
      removed_claims: made.removed_claims.length ? [String(made.removed_claims.length)] : [],
      address: [`/d/${evidence.serial / 8192n}/${evidence.serial}.html`],
      superseded_by: [...other(evidence.supersededBy), ...other(evidence.supersededBy)], supersedes: other(evidence.supersedes),
    };
  }

  /* Which groups of the CPC a topic combines, and why that is obvious. */
  function combination(symbols, rule) {
    const said = {
      "known-elements": "known elements by known methods", substitution: "one known element in place of another",
      "known-technique": "a known technique on a similar device",
    };
    const written = symbols.map((symbol) => `${symbol.slice(0, 4)} ${symbol.slice(4).replace(/\/00$/, "")}`.trim());
    return Object.hasOwn(said, rule) ? [`combines ${written.join(" with ")}: ${said[rule]}`] : [];
  }

  /* What the page says instead of paragraphs that a program made from the claims. */
  function origin(own, restated) {
    const [plural, verb] = restated === 1 ? ["", "s"] : ["s", ""];
    const [are, them] = restated === 1 ? ["is", "it"] : ["are", "them"];
    if (restated && own) return [`Its other ${restated} paragraph${plural} only restate${verb} the claims and ${are} not shown; the record has ${them}.`];
    const none = "This disclosure gives no description of its own.";
    if (restated) return [`${none} The ${restated} paragraph${plural} in its record only restate${verb} the claims.`];
    return own ? [] : [none];
  }

  function compare(facts, wanted) {
    for (const name of new Set([...Object.keys(wanted), ...Object.keys(facts)])) {
      check(wanted[name], `this page shows a fact ${short(name)} that no record has`);
      const found = facts[name] || [];
      if (name === "entry" && !found.length) continue; // a page need not name it
      if (found.length !== wanted[name].length) throw new Failed(`this page shows ${found.length} of ${name}, the record has ${wanted[name].length}`);
      found.forEach((element, i) => {
        const text = shown(element);
        const holds = name === "address" ? text.endsWith(wanted[name][i]) && text.includes("//") : text === wanted[name][i];
        const which = wanted[name].length > 1 ? `${name} ${i + 1}` : name;
        check(holds, `${which} on this page is not the record's: ${short(text)}`);
        const stamp = element.getAttribute("datetime");
        check(stamp === null || stamp === wanted[name][i], `${which} on this page has another time: ${short(stamp || "")}`);
      });
    }
  }

  function compareAround(article, record, evidence, digest, number) {
    const path = `/d/${evidence.serial / 8192n}/${evidence.serial}.html`;
    check(document.title.startsWith(`${number}: ${record.title.replace(/\s+/g, " ")} - `), "title of the window is not number and title of the record");
    const time = evidence.published?.time;
    const metas = {
      citation_title: [record.title], citation_author: [record.publisher], "DC.title": [record.title], "DC.creator": [record.publisher],
      citation_technical_report_institution: [record.publisher], citation_technical_report_number: [number],
      citation_publication_date: time ? [time.slice(0, 10).replaceAll("-", "/")] : [], "DC.date": time ? [time] : [],
      "DC.identifier": [number, `sha256:${digest}`],
    };
    for (const meta of document.querySelectorAll("meta[name]")) {
      check(!(meta.name in metas) || metas[meta.name].includes(meta.content), `${meta.name} of this page is ${short(meta.content)}`);
    }
    for (const link of document.querySelectorAll('link[rel="canonical"], link[rel="cite-as"]')) check(link.href.endsWith(path), `number: the address of this page is ${short(link.href)}`);
    for (const script of document.querySelectorAll('script[type="application/ld+json"]')) {
      const work = JSON.parse(script.textContent);
      check(work.headline === record.title && work.name === record.title && work.reportNumber === number, "title or number in the linked data is not the record's");
      check(work.datePublished === time && work.dateCreated === record.created_at, "date in the linked data is not the log's");
    }
    const links = [...document.querySelectorAll('link[rel="canonical"], link[rel="cite-as"], article [data-fact="address"]')];
    const named = new Set(links.map((one) => one.getAttribute("href") ?? one.textContent));
    check(named.size <= 1, `address: this page names ${[...named].join(" and ")}`);
    for (const form of article.querySelectorAll("pre")) compareCitation(form, record, time, number, digest, path, [...named][0]);
    const around = [document.querySelectorAll("body *")].flatMap((all) => [...all]).filter((one) => !one.closest("article, .press-header, .press-footer, script"));
    for (const one of around) for (const child of one.childNodes) {
      check(child.nodeType !== Node.TEXT_NODE || ["", "Skip to content"].includes(child.data.trim()), `text outside of the disclosure: ${short(child.data?.trim() || "")}`);
    }
    const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
    check(new Set(ids).size === ids.length, "an id stands twice on this page");
    const numbers = record.description.map((one, i) => (one.origin === "model" ? i + 1 : 0)).filter(Boolean);
    for (const [kind, id] of [["claim", (i) => `claim-${i + 1}`], ["paragraph", (i) => `p-${String(numbers[i]).padStart(4, "0")}`]]) {
      article.querySelectorAll(`[data-fact="${kind}"]`).forEach((one, i) => check(one.id === id(i) && one.closest(".press-text"), `the ${kind}s have other numbers than the record gives`));
    }
    check(!article.querySelector(".press-text :is(ol, li):is([start], [value], [reversed], [type])"), "the numbers of the claims are changed");
  }

  /* A citation holds values of record and log, words of the forms, the reader's choice of claims, and nothing else. */
  const ADDRESS = /https?:\/\/[^\s<>"{}\\]+/g;
  const wordsOf = (text) => text.toUpperCase().match(/[\p{L}\p{N}]+/gu) || []; // in capitals ß is SS and ﬁ is FI
  function compareCitation(form, record, time, number, digest, path, address) {
    const copy = form.cloneNode(true);
    for (const one of copy.querySelectorAll("*")) {
      check(one.matches("span[data-pin]") && !one.children.length, `an element ${one.localName} stands in a citation`);
      check(/^(, )?(whole document|(claims? [0-9, ]+)?(, )?(paras?\. [[\]0-9, ]+)?)$/.test(one.textContent), `a pin cite says ${short(one.textContent)}`);
      one.remove();
    }
    const bib = copy.textContent.startsWith("@");
    const text = bib ? copy.textContent.replaceAll("{\\textbackslash}", " ").replace(/\{\\text(braceleft|braceright|asciitilde|asciicircum)\}/g, " ") : copy.textContent;
    const plain = wordsOf(text).join("");
    for (const [name, value] of [["title", record.title], ["publisher", record.publisher], ["number", number]]) {
      check(plain.includes(wordsOf(value).join("")), `the ${name} does not stand in a citation`);
    }
    for (const [, tag, value] of text.matchAll(/^(TI|AB|AU) {2}- (.*)$/gm)) {
      const own = { TI: record.title, AB: record.abstract, AU: record.publisher }[tag];
      check(value === own.trim().split(/\s+/).join(" "), `${tag} in a citation is not the record's`);
    }
    check((text.match(/(?<![A-Z])[A-Z]{2,8}-[0-9]{7,15}/g) || []).every((other) => other === number), "another number stands in a citation");
    check(text.includes(path), "number: the address of the disclosure does not stand in a citation");
    const texts = `${record.title}\n${record.abstract}\n${record.publisher}`;
    check((text.match(ADDRESS) || []).every((other) => texts.includes(other) || other.replace(/[\].,;)]+$/, "") === address), "an address stands in a citation that is not the page's own");
    check(!time || dates(text).join("|").split("|").includes(time.slice(0, 10)), "the date does not stand in a citation");
    let rest = wordsOf(text.replace(/^KW {2}- [A-HY][0-9]{2}[A-Z]$/m, "").replace(RETRIEVED, "$1").replaceAll(address, " "));
    const values = [record.title, record.abstract, record.publisher, record.publisher.toUpperCase(), number, time || "", digest, record.generation.model];
    for (const value of values.map(wordsOf).filter((one) => one.length).sort((a, b) => b.length - a.length)) {
      for (let at = 0; at <= rest.length - value.length; at += 1) {
        if (value.every((word, i) => rest[at + i] === word)) rest.splice(at, value.length, "");
      }
    }
    const [year, month, day] = (time || "").slice(0, 10).split("-");
    const said = time ? [year, month, day, String(Number(month)), String(Number(day)), NAMES[month - 1], MONTHS[month - 1]] : [];
    const known = new Set(["", record.language, ...said]);
    const strange = rest.map((word) => word.toLowerCase())
      .filter((word) => !(known.has(word) || CITATION.has(word)) || (time && ["not", "yet"].includes(word)));
    const what = strange.every((word) => /^[0-9]/.test(word)) ? "a date or number that is not the log's" : "words of no record";
    check(!strange.length, `a citation shows ${what}: ${short(strange.join(" "))}`);
  }

  /* Every date, wherever it stands: the log's, the record's, or the reader's own day of retrieval in a citation. */
  const NAMES = "january february march april may june july august september october november december".split(" ");
  const MONTHS = NAMES.map((name) => name.slice(0, 3));
  const RETRIEVED = /(retrieved(?:\s+on)?:? |urldate = \{|Y2  - |"accessed": \{[^}]*?)(\[\[[\s0-9,]*\]\]|[0-9]{4}[-/][0-9]{2}[-/][0-9]{2})/gi;
  const MONTH = "(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\\.?";
  const YEAR = "((?:1[6-9]|2[0-9])[0-9]{2})";
  const FORMS = [
    [`(?<![0-9])${YEAR}[-/.](\\d{1,2})[-/.](\\d{1,2})(?![0-9])`, 1, 2, 3], [`(?<![0-9])(\\d{1,2})[-/.](\\d{1,2})[-/.]${YEAR}(?![0-9])`, 3, 2, 1],
    [`\\[\\s*${YEAR}\\s*,\\s*(\\d{1,2})\\s*,\\s*(\\d{1,2})\\s*\\]`, 1, 2, 3], [`\\b(\\d{1,2})\\.?\\s+${MONTH},?\\s+${YEAR}\\b`, 3, 2, 1],
    [`\\b${MONTH}\\s+(\\d{1,2})(?:st|nd|rd|th)?,?\\s+${YEAR}\\b`, 3, 1, 2], [`\\b${YEAR},?\\s+${MONTH}\\s+(\\d{1,2})\\b`, 1, 2, 3],
  ];
  function dates(text) { // of 11/12/2026 both readings, joined by a bar
    return FORMS.flatMap(([form, year, month, day]) => [...text.matchAll(new RegExp(form, "gi"))].map((found) => {
      const named = MONTHS.indexOf(found[month].toLowerCase().slice(0, 3)) + 1;
      const pairs = [[named || Number(found[month]), Number(found[day])]];
      if (year === 3 && month === 2 && !named) pairs.push([...pairs[0]].reverse());
      return pairs.filter(([m, d]) => m >= 1 && m <= 12 && d >= 1 && d <= 31).map((pair) => [found[year], ...pair.map((n) => String(n).padStart(2, "0"))].join("-")).join("|");
    })).filter(Boolean);
  }
  function compareDates(record, evidence) {
    const time = evidence.published?.time;
    const made = record.generation;
    const own = [record.title, record.publisher, record.review, record.abstract, made.model, made.revision, made.model_attribution, made.topic, made.generator_version].join("\n");
    const stamps = [time, record.created_at].filter(Boolean);
    const known = new Set([...stamps.map((stamp) => stamp.slice(0, 10)), ...dates(own).join("|").split("|")]);
    const years = new Set([...[...known].map((day) => day.slice(0, 4)), ...(own.match(/(?<![0-9])[0-9]{4}(?![0-9])/g) || [])]);
    const left = "title, script:not([type]), [data-not-evidence], [data-not-evidence] *, " + ["title", "abstract", "claim", "paragraph"].map((name) => `[data-fact="${name}"], [data-fact="${name}"] *`).join(", ");
    for (const one of document.querySelectorAll("*")) {
      if (one.matches(left) || [record.title, record.abstract].includes(one.getAttribute("content"))) continue;
      const values = [...one.attributes].filter((at) => !["class", "src"].includes(at.name)).map((at) => at.value);
      const text = ["p", "pre", "dd", "span"].includes(one.localName) ? one.textContent : [...one.childNodes].map((child) => child.data || "").join("\n");
      for (const part of [...values, text]) {
        const seen = part.replace(RETRIEVED, "$1");
        const stamp = (seen.match(/[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z| UTC)?/g) || []).find((found) => ![...stamps, own].some((value) => value.includes(found)));
        check(!stamp, `the date ${stamp} on this page is not the log's`);
        const day = dates(seen).find((found) => !found.split("|").some((reading) => known.has(reading)));
        check(!day, `the date ${day} on this page is not the log's`);
        const year = [...seen.matchAll(/(?:year\s*=\s*\{?|PY {2}- |date-parts": \[\[|published (?:in )?)((?:1[6-9]|2[0-9])[0-9]{2})(?![0-9])/gi)].find((found) => !years.has(found[1]));
        check(!year, `the date ${year?.[1]} on this page is not the log's`);
      }
    }
  }

  async function verify() {
    if (!(window.crypto && crypto.subtle)) throw new Unchecked("browsers compute hashes only on pages served over https");
    check(box.dataset.record && box.dataset.evidence, "this page carries no evidence");
    const bytes = new TextEncoder().encode(box.dataset.record);
    const evidence = parseEvidence(box.dataset.evidence);
    const { checkpoint, digest } = await checkEvidence(bytes, evidence);
    const record = JSON.parse(decode(bytes, "the record"));
    const article = document.querySelectorAll("article");
    check(article.length === 1 && article[0].querySelectorAll(".press-text").length === 1, "this page shows more than one disclosure");
    const facts = {};
    walk(article[0], facts, false);
    const number = facts.number ? shown(facts.number[0]) : "";
    check(NUMBER.test(number) && number.slice(number.lastIndexOf("-") + 1) === String(evidence.serial).padStart(7, "0"), `the number ${short(number)} is not ${evidence.serial}, which the log gives`);
    compare(facts, expected(record, evidence, digest, number));
    compareAround(article[0], record, evidence, digest, number);
    compareDates(record, evidence);
    if (!box.dataset.vkey) throw new Unchecked("this page carries no verification key");
    await checkSignature(checkpoint, box.dataset.vkey);
  }

  /* Only what is not good is written into the page. */
  function say(state, text) {
    box.dataset.state = state;
    status.textContent = text;
    const hand = document.createElement("p");
    hand.append(...here);
    box.append(hand);
  }

  async function run() {
    let internals;
    customElements.define("press-verdict", class extends HTMLElement {
      constructor() { super(); internals = this.attachInternals(); }
    });
    try {
      await verify();
      const saved = location.protocol !== "https:" && location.protocol !== "http:";
      internals.states.add(saved ? "saved" : "verified");
      check(verdict.matches(":state(verified), :state(saved)"), "");
      internals.role = "status";
      internals.ariaLabel = getComputedStyle(verdict, "::after").content;
    } catch (error) {
      if (error instanceof Failed && error.message) return say("failed", `Verification failed: ${error.message}.`);
      say("unchecked", `Could not check: ${error instanceof Unchecked ? error.message : "this browser is too old for it"}.`);
    }
  }
  run();
})();
