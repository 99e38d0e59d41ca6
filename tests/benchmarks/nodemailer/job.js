// What ../clients/job.py holds, for clients in JavaScript.

import { readFileSync } from "node:fs";
import nodemailer from "nodemailer";

export const readJob = () => JSON.parse(readFileSync(0, "utf8"));

// A pool of kept connections that has yet to be used.
export const poolFor = (job) =>
  nodemailer.createTransport({
    pool: true,
    maxConnections: job.connections,
    maxMessages: Infinity,
    host: job.host,
    port: job.port,
    requireTLS: job.protected,
    ignoreTLS: !job.protected,
    auth: job.protected ? { user: job.username, pass: job.password } : undefined,
    tls: { ca: job.ca_certificate },
  });

// Does the work and prints what it took, as the Python clients do.
export const timed = async (work) => {
  const begun = performance.now();
  const cpuBegun = process.cpuUsage();
  await work();
  const cpu = process.cpuUsage(cpuBegun);
  const outcome = { seconds: (performance.now() - begun) / 1e3, cpu_seconds: (cpu.user + cpu.system) / 1e6 };
  console.log(JSON.stringify(outcome));
};
