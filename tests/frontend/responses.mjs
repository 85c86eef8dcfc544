// Answers of the real server, modified on their way to the page.

/** Modifies the answer to every segment request. The parameter `series` is not forwarded, since the input has one series. */
export const changed = (page, change) => page.route('**/v1/segment*', async (route) => {
  const url = new URL(route.request().url());
  url.searchParams.delete('series');
  const response = await route.fetch({ url: url.href });
  const report = await response.json();
  if (response.ok()) change(report, route.request());
  await route.fulfill({ response, json: report });
});

/** Makes the page send series by one request, whose answer can be modified, and not by a job. Runs before the page loads. */
export const withoutUploads = (page) => page.route('**/v1/models', async (route) => {
  const response = await route.fetch();
  const facts = await response.json();
  await route.fulfill({ response, json: { ...facts, limits: { ...facts.limits, max_upload_bytes: undefined } } });
});

export const NOTE = { code: 'a_note', message: 'A note that changes nothing.' };
export const BONE = { code: 'bone_window', message: 'The grey values look like a bone window.', doubt: 'unreadable' };
export const DROPPED = { code: 'slices_dropped', message: 'Three slices of this head were left out.', doubt: 'incomplete' };

const emptied = (part) => {
  if (part.lesions) part.lesions = [];
  part.area_px = 0;
  delete part.mask;
};

/** The answer for an unreadable input; a note precedes the reason. */
export function unreadable(report) {
  const { image, series, hemorrhage } = report;
  (series ?? image).gray_scale = 'unreadable';
  Object.assign(hemorrhage, { detected: null, probability: null, subtypes: [] });
  report.warnings = [NOTE, BONE];
  for (const part of report.slices ?? [report]) {
    emptied(part);
    part.readout = { ...part.readout, open: false };
    delete part.probabilities;
    if (report.slices) Object.assign(part, { probability: null, probability_alone: null });
  }
  if (report.volume) Object.assign(report.volume, { total_volume_ml: null, lesions: [], key_slice: null });
}

/** The answer without an outline. */
export function clear(report) {
  Object.assign(report.hemorrhage, { detected: false, probability: 0.04 });
  emptied(report);
}

/** The answer without an outline where part of the head is missing. */
export function incomplete(report) {
  Object.assign(report.hemorrhage, { detected: null, probability: 0.04 });
  report.warnings = [NOTE, DROPPED];
  for (const part of report.slices ?? [report]) emptied(part);
  if (report.volume) Object.assign(report.volume, { total_volume_ml: null, lesions: [], key_slice: null });
}
