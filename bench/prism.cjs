// Loaded into Prism, which else ends at an error that it does not catch, and at a violation with a character that no header
// can have. The exchange of such an error gets the header Prism-Crashed; exchanges come one after the other.
const { Server, ServerResponse } = require("node:http");

const setHeader = ServerResponse.prototype.setHeader;
ServerResponse.prototype.setHeader = function (name, value) {
  return setHeader.call(this, name, name === "sl-violations" ? value.replace(/[^\x20-\x7e]/g, "?") : value);
};

let reply;
const emit = Server.prototype.emit;
Server.prototype.emit = function (event, ...values) {
  if (event === "request") reply = values[1];
  return emit.call(this, event, ...values);
};
for (const event of ["uncaughtException", "unhandledRejection"]) {
  process.on(event, () => {
    if (reply && !reply.headersSent) reply.writeHead(500, { "Prism-Crashed": "1" });
    reply?.end();
  });
}
