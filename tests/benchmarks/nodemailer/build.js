// nodemailer's pool, building each mail: Handlebars renders both texts (its templates are compiled once).

import Handlebars from "handlebars";
import { poolFor, readJob, timed } from "./job.js";

const job = readJob();
const pool = poolFor(job);
const text = Handlebars.compile(job.letter.text, { noEscape: true });
const html = Handlebars.compile(job.letter.html);

const submit = (number) => {
  const email = `reader${number}@example.org`;
  const token = number.toString(16).padStart(32, "0");
  const values = { unsubscribe_url: job.letter.unsubscribe_url + token, manage_url: job.letter.manage_url + token };
  return pool.sendMail({
    from: { name: job.letter.from_name, address: job.mail_from },
    to: { name: `Reáder ${number}`, address: email },
    subject: job.letter.subject,
    messageId: `<${number}@acme.example>`,
    inReplyTo: job.letter.thread_root,
    references: job.letter.thread_root,
    headers: {
      "Auto-Submitted": "auto-generated",
      "X-Auto-Response-Suppress": "All",
      "List-Unsubscribe": `<${values.unsubscribe_url}>`,
      "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    },
    text: text(values),
    html: html(values),
  });
};

// A pool that is never idle, and never has all the mails in memory at once.
const submitAll = async (first, end) => {
  let number = first;
  const worker = async () => {
    while (number < end) await submit(number++);
  };
  await Promise.all(Array.from({ length: 2 * job.connections }, worker));
};

await submitAll(0, job.warm_up);
await timed(() => submitAll(job.warm_up, job.warm_up + job.mails));
pool.close();
