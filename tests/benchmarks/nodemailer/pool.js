// nodemailer's pool, given prepared mails.

import { poolFor, readJob, timed } from "./job.js";

const job = readJob();
const content = Buffer.from(job.content);
const recipients = Array.from({ length: job.connections * job.mails }, (_, number) => `reader${number}@example.org`);

await timed(async () => {
  const pool = poolFor(job);
  const submit = (to) => pool.sendMail({ envelope: { from: job.mail_from, to }, raw: content });
  await Promise.all(recipients.map(submit));
  pool.close();
});
