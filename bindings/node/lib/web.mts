export * from "./web.js";
