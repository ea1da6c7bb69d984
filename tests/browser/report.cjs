// What a reader of the HTML report can do, in a headless browser. Run by `tests/browser/run`.
"use strict";

const assert = require("node:assert/strict");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { pathToFileURL } = require("node:url");
const { chromium } = require("playwright-core");

const work = path.resolve(process.env.WORK);
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const SLOWEST_FILTER_MS = 200;
/** A cell that the hole opens. */
const OPENED = /^org_admin on owner's key: 200, was 403, widened/;

const report = (name) => pathToFileURL(path.join(work, name)).href;
const cell = (page, name) => page.getByRole("button", { name, exact: typeof name === "string" });
const details = (page) => page.getByRole("dialog");
const count = (page) => page.getByRole("status");

/** A page with a report, which fails the test if it asks for anything else or complains. */
async function open(browser, name, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  const heard = { requests: [], complaints: [] };
  page.on("request", (request) => heard.requests.push(request.url()));
  page.on("console", (message) => heard.complaints.push(message.text()));
  page.on("pageerror", (error) => heard.complaints.push(String(error)));
  await page.goto(report(name));
  page.finish = async () => {
    const asked = heard.requests.filter((url) => url !== report(name) && !url.startsWith("data:"));
    assert.deepEqual([asked, heard.complaints], [[], []]);
    await context.close();
  };
  return page;
}

const tests = {
  async "the heading says what matters most"(page) {
    await page.getByText("27 cells widened, 1 of 2 endpoints not as pinned").waitFor();
    assert.match(await page.title(), /^Not as pinned – litellm/);
    const kind = page.locator("#groups .kind").first();
    assert.equal(await kind.locator(".badge").textContent(), "widened");
  },

  async "a cell is a button with a name in a table with headings"(page) {
    const table = page.getByRole("table", { name: /^key-info:/ });
    await table.getByRole("columnheader", { name: "org_admin", exact: true }).waitFor();
    await table.getByRole("rowheader", { name: "owner's key", exact: true }).waitFor();
    await cell(page, OPENED).waitFor();
  },

  async "matrices that are not in sight are there for a search and a screen reader"(page) {
    await page.setViewportSize({ width: 390, height: 844 });
    await cell(page, "proxy_admin on key that does not exist: 404").nth(1).waitFor({ state: "attached" });
  },

  async "filters leave what matches and say how much that is"(page) {
    assert.equal(await count(page).textContent(), "211 cells in 2 endpoints");
    await page.getByRole("combobox", { name: "Actor" }).selectOption("org_admin");
    await page.getByRole("checkbox", { name: "Only differences" }).check();
    await page.waitForFunction(() => document.getElementById("count").textContent === "4 cells in 1 endpoint");
    assert.equal(await page.getByRole("columnheader").count(), 1);
    await page.getByRole("button", { name: "Reset" }).click();
    await page.getByLabel("Search").fill("owner's-key-that-nobody-has");
    await page.waitForFunction(() => document.getElementById("count").textContent === "No cell matches");
    await page.getByRole("button", { name: "Reset" }).click();
    await page.waitForFunction(() => document.getElementById("count").textContent === "211 cells in 2 endpoints");
  },

  async "a kind of drift can be looked at alone"(page) {
    await page.getByRole("button", { name: "Show only cells with drift widened" }).click();
    await page.waitForFunction(() => document.getElementById("count").textContent === "27 cells in 1 endpoint");
  },

  async "a search finds gates, tables and identifiers"(page) {
    await page.getByLabel("Search").fill("LiteLLM_DeletedVerificationToken");
    await page.waitForFunction(() => / in 1 endpoint$/.test(document.getElementById("count").textContent));
    await page.getByRole("heading", { name: "key-delete" }).waitFor();
    assert.equal(await page.getByRole("heading", { name: "key-info" }).isVisible(), false);
  },

  async "the details of a cell say what it did before and how to repeat it"(page) {
    await cell(page, OPENED).click();
    const dialog = page.getByRole("dialog", { name: "org_admin on owner's key" });
    const text = await dialog.innerText();
    for (const expected of ["widened", "a call that was denied is allowed", "You are not allowed to access this key's info",
      "owner.user_id", "Repeat the call", "curl \"$BASE_URL/key/info\" --url-query \"key=$TARGET_KEY\" -H \"authorization: Bearer $ACTOR_KEY\""]) {
      assert.ok(text.includes(expected), `${expected} in ${text}`);
    }
    await dialog.getByRole("button", { name: "Copy" }).click();
    await dialog.getByRole("button", { name: "Copied" }).waitFor();
    await page.getByRole("button", { name: "Close the details" }).click();
    assert.equal(await dialog.isVisible(), false);
  },

  async "the details of a cell say what its fields show"(page) {
    await cell(page, OPENED).click();
    const text = await details(page).innerText();
    for (const expected of ["key: <target.key>", "info.user_id: <owner.user_id>", "info.spend: 0.0"]) {
      assert.ok(text.includes(expected), `${expected} in ${text}`);
    }
  },

  async "what differs leads to its endpoint"(page) {
    const place = page.locator("#groups .group .where a").first();
    assert.equal(await place.textContent(), "key-info");
    await place.click();
    await page.getByRole("heading", { name: "key-info" }).waitFor();
  },

  async "rows that a call changed are shown with their columns"(page) {
    await page.getByRole("button", { name: /^owner on own key made by itself: 200, .*changes rows/ }).first().click();
    const text = await details(page).innerText();
    assert.match(text, /delete LiteLLM_VerificationToken/);
  },

  async "the keyboard walks the matrix, opens a cell and comes back"(page) {
    const first = cell(page, "proxy_admin on own credential: 200");
    await first.focus();
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowDown");
    assert.match(await focused(page), /^org_admin on own key made by an admin: /);
    await page.keyboard.press("End");
    assert.match(await focused(page), /^proxy_admin_viewer on own key made by an admin: /);
    await page.keyboard.press("Home");
    await page.keyboard.press("n");
    const name = await focused(page);
    assert.match(name, /, widened/);
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement.id), "details-heading");
    await page.keyboard.press("Escape");
    assert.equal(await details(page).isVisible(), false);
    assert.equal(await focused(page), name);
  },

  async "one press of Tab leaves a matrix"(page) {
    await cell(page, "proxy_admin on own credential: 200").focus();
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.closest(".endpoint")?.id), "endpoint-1");
  },

  async "before and now can be looked at alone"(page) {
    await page.getByText("Before", { exact: true }).click();
    await page.waitForFunction(() => !document.querySelector("main .to"));
    const button = cell(page, OPENED);
    assert.equal(await button.textContent(), "403");
  },

  async "nobody is kept from reading it"(page) {
    await cell(page, OPENED).click();
    await page.waitForTimeout(200);
    assert.deepEqual(await violations(page), []);
    await page.emulateMedia({ colorScheme: "dark" });
    assert.deepEqual(await violations(page), []);
    await page.getByRole("combobox", { name: "Actor" }).selectOption("owner");
    await page.getByLabel("Search").fill("widened");
    await page.waitForTimeout(100);
    assert.deepEqual(await violations(page), []);
  },

  async "light and dark follow the system until somebody chooses"(page) {
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await ground();
    await page.emulateMedia({ colorScheme: "dark" });
    const dark = await ground();
    assert.notEqual(light, dark);
    const button = page.getByRole("button", { name: /^Theme/ });
    await button.click();
    assert.deepEqual([await button.textContent(), await ground()], ["Theme: light", light]);
    await button.click();
    assert.deepEqual([await button.textContent(), await ground()], ["Theme: dark", dark]);
  },

  async "a small screen does not scroll sideways"(page) {
    await page.setViewportSize({ width: 390, height: 844 });
    const widths = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    assert.ok(widths[0] <= widths[1], String(widths));
  },
};

const focused = (page) => page.evaluate(() => document.activeElement.getAttribute("aria-label"));

async function violations(page) {
  // Through the debugger, since the page's own policy lets no other script in.
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document));
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).slice(0, 3).join(" ")}`);
}

/** From the event to the frame that shows what it did, several times. */
async function filterTimes(page, texts) {
  return page.evaluate(async (texts) => {
    const input = document.getElementById("text");
    const painted = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    const times = [];
    for (const text of texts) {
      await painted();
      const start = performance.now();
      input.value = text;
      input.dispatchEvent(new Event("input", { bubbles: true }));
      await painted();
      // Reading the layout makes sure that nothing was put off.
      document.body.offsetHeight;
      times.push(performance.now() - start);
    }
    return times;
  }, texts);
}

const median = (times) => [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)];

async function large(browser) {
  const page = await open(browser, "large.html");
  await page.waitForFunction(() => document.getElementById("count").textContent.startsWith("50"));
  assert.equal((await count(page).textContent()).replace(/\s/g, " "), "50 000 cells in 50 endpoints");
  const ready = await page.evaluate(() => performance.getEntriesByType("navigation")[0].domComplete);
  // Where somebody is who uses the filters: with matrices in sight.
  await page.evaluate(() => document.getElementById("filters").scrollIntoView());
  const times = await filterTimes(page, ["a", "ad", "adm", "admin", "403", "widened", "tenant 7", "", "role 3", "model", ""]);
  const drawn = await page.evaluate(() => document.querySelectorAll(".cell").length);
  console.log(`50,000 cells: ready after ${ready.toFixed(0)} ms, a filter takes ${median(times).toFixed(0)} ms (slowest ${Math.max(...times).toFixed(0)} ms), ${drawn} cells drawn`);
  assert.ok(median(times) < SLOWEST_FILTER_MS, `${times}`);
  await page.getByLabel("Search").fill("onerror");
  await page.getByRole("rowheader", { name: "</script><img src=x onerror=alert(1)>" }).first().waitFor();
  await page.getByLabel("Search").fill("");
  await page.waitForTimeout(100);
  await page.evaluate(() => window.scrollTo(0, document.body.scrollHeight / 2));
  await page.waitForFunction(() => [...document.querySelectorAll(".cell[data-at]")].some((cell) => {
    const { top } = cell.getBoundingClientRect();
    return top > 0 && top < innerHeight;
  }));
  assert.ok(await page.evaluate(() => document.querySelectorAll(".cell").length) < 15000);
  await page.screenshot({ path: path.join(work, "large.png") });
  await page.finish();
}

async function pictures(browser) {
  for (const colorScheme of ["light", "dark"]) {
    const page = await open(browser, "hole.html", { colorScheme, viewport: { width: 1440, height: 900 } });
    await page.screenshot({ path: path.join(work, `report-${colorScheme}.png`) });
    await page.evaluate(() => document.getElementById("filters").scrollIntoView());
    await cell(page, OPENED).click();
    await page.waitForTimeout(250);
    await page.screenshot({ path: path.join(work, `details-${colorScheme}.png`) });
    await page.finish();
  }
  const page = await open(browser, "hole.html", { viewport: { width: 390, height: 844 } });
  await page.screenshot({ path: path.join(work, "small.png") });
  await page.pdf({ path: path.join(work, "print.pdf") });
  await page.finish();
}

async function main() {
  // The one of the last start is gone with its folder.
  const profile = fs.mkdtempSync(path.join(os.tmpdir(), "authz-pin-browser-"));
  const args = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"];
  const first = await chromium.launchPersistentContext(profile, { executablePath: process.env.CHROMIUM, args });
  const browser = first.browser();
  let failed = 0;
  const run = async (name, test) => {
    try {
      await test();
      console.log(`ok   ${name}`);
    } catch (error) {
      failed += 1;
      console.log(`FAIL ${name}\n${error.stack}`);
    }
  };
  for (const [name, test] of Object.entries(tests)) {
    await run(name, async () => {
      const page = await open(browser, "hole.html");
      await test(page);
      await page.finish();
    });
  }
  await run("a report of 50,000 cells is filtered without lag", () => large(browser));
  await run("pictures", () => pictures(browser));
  await first.close();
  fs.rmSync(profile, { recursive: true, force: true });
  process.exitCode = failed ? 1 : 0;
}

main();
