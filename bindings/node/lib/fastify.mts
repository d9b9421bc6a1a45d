import { toriiAuth } from "./fastify.js";

export * from "./fastify.js";
export default toriiAuth;
