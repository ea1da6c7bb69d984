// PostGraphile on the tables of schema.sql: it checks the caller's token, and lets PostgreSQL decide as the token's role.
//
// HOLE=delete and HOLE=rename let each member delete and rename whatever note they see, and HOLE=tenant shows them the notes of
// all tenants.

import { createServer } from "node:http";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import pg from "pg";
import { grafserv } from "postgraphile/grafserv/node";
import { makePgService } from "postgraphile/adaptors/pg";
import { defaultMaskError } from "postgraphile/grafserv";
import { postgraphile } from "postgraphile";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";
import { PgLazyJWTPreset } from "postgraphile/presets/lazy-jwt";

const HOLES = {
  delete: "alter policy delete_own on notes using (true)",
  rename: "alter policy change_own on notes using (true)",
  tenant: "alter policy own_tenant on notes using (true)",
};

// As the owner of the tables, once; then as a role that owns nothing.
async function prepare(url, password) {
  const owner = new pg.Client({ connectionString: url });
  await owner.connect();
  const isThere = await owner.query("select to_regclass('public.notes') is not null as yes");
  if (!isThere.rows[0].yes) {
    await owner.query(readFileSync(new URL("schema.sql", import.meta.url), "utf8"));
  }
  await owner.query(`alter role notes_visitor password '${password}'`);
  if (process.env.HOLE) await owner.query(HOLES[process.env.HOLE]);
  await owner.end();
}

const password = randomBytes(16).toString("hex");
await prepare(process.env.DATABASE_URL, password);
const url = new URL(process.env.DATABASE_URL);
[url.username, url.password] = ["notes_visitor", password];

// PostGraphile hides what PostgreSQL says; that it refuses (code 42501) is told.
const maskError = (error) => (error.originalError?.code === "42501" ? error : defaultMaskError(error));

const server = createServer();
const preset = {
  extends: [PostGraphileAmberPreset, PgLazyJWTPreset],
  pgServices: [makePgService({ connectionString: url.href, schemas: ["public"] })],
  grafserv: { graphqlPath: "/graphql", maskError, pgJwtSecret: process.env.SIGNING_KEY },
};
await postgraphile(preset).createServ(grafserv).addTo(server);
server.listen(Number(process.env.PORT), process.env.HOST);
