// Where the models run: in this browser, or on the server. Loads what runs here when it is first needed.

import { readSetting, saveSetting } from '../settings.js';
import { canRunHere } from './support.js';

/** Above it, the automatic choice is the server where there is one. */
const MAX_AUTOMATIC_SLICES = 64;
/** @type {('automatic' | 'device' | 'server')[]} */
const CHOICES = ['automatic', 'device', 'server'];

/** What other files and the saving of results need, so that nothing is requested once the page analyses here. */
const loadLater = () => Promise.all([import('../data/exports.js'), import('../data/zip-reader.js'), import('../data/zip-writer.js'), import('../panels/finding-text.js'), import('../panels/grouping-question.js')]);

/** @param {ReturnType<typeof import('../api.js').createApi> | null} api null for a page without a server */
export function createLocation(api) {
  const isSupported = canRunHere();
  let hasServer = Boolean(api);
  /** @type {ServerInfo | null} */
  let serverInfo = null;
  /** @type {ReturnType<typeof import('./client.js').createDevice> | null} */
  let device = null;
  let choice = CHOICES.find((one) => one === readSetting('location', '')) ?? 'automatic';

  /** Those that are possible. */
  const choices = () => (!isSupported ? CHOICES.slice(2) : hasServer ? CHOICES : CHOICES.slice(1, 2));
  const current = () => (choices().includes(choice) ? choice : choices()[0]);
  /** Whether the next analysis of a study runs here. @param {Study | null} study */
  const isDevice = (study) => current() === 'device' || (current() === 'automatic' && !study?.needsServer);

  const loadDevice = async () => {
    if (device) return device;
    const [{ createDevice }] = await Promise.all([import('./client.js'), loadLater()]);
    device ??= createDevice();
    return device;
  };

  return {
    choices,
    current,
    isDevice,
    /** @param {string} next */
    choose(next) {
      choice = CHOICES.find((one) => one === next) ?? choice;
      saveSetting('location', choice);
    },

    /** The models and limits: of the server, or without one those that are stored beside the page. @returns {Promise<ServerInfo>} */
    async models() {
      let failure;
      if (api) {
        try {
          serverInfo = await api.models();
          hasServer = true;
          return /** @type {ServerInfo} */ (serverInfo);
        } catch (error) {
          failure = error;
        }
      }
      try {
        if (!isSupported) throw failure;
        const { fetchCatalog, keptCatalog } = await import('./files.js');
        serverInfo = await (api ? keptCatalog() : fetchCatalog());
        hasServer = false;
        return /** @type {ServerInfo} */ (serverInfo);
      } catch (error) {
        throw failure ?? error;
      }
    },

    /** Address of a model card. @param {Model} model */
    cardUrl: (model) => (api && hasServer ? api.cardUrl(model) : new URL(`models/${model.name}/MODEL_CARD.md`, document.baseURI).href),

    /** Segments a file of a study where the visitor chose. @param {Study} study @param {File} file @param {SegmentOptions} request @returns {Promise<{report: Report, isDevice: boolean}>} */
    async segment(study, file, request) {
      if (isDevice(study)) {
        const [here, { TooManySlices }] = await Promise.all([loadDevice(), import('./client.js')]);
        try {
          const maxSlices = current() === 'automatic' ? MAX_AUTOMATIC_SLICES : Infinity;
          const report = await here.segment(file, { ...request, maxSlices });
          if (serverInfo && hasServer) here.keepCatalog(serverInfo);
          return { report, isDevice: true };
        } catch (error) {
          if (!(error instanceof TooManySlices)) throw error;
          study.needsServer = true;
        }
      }
      const { segmentFile } = await import('../data/segmentation.js');
      return { report: await segmentFile(api, file, request), isDevice: false };
    },

    /** The masks of a study as DICOM segmentation. @param {Study} study @param {any} options @param {AbortSignal} signal */
    async dicomSegmentation(study, options, signal) {
      if (!isDevice(study)) return /** @type {any} */ (api).dicomSegmentation(study.body, options, signal);
      return (await loadDevice()).dicomSegmentation(/** @type {Blob} */ (study.body), { ...options, asSeries: study.asSeries }, signal);
    },

    /** The report of a study as one page of HTML. @param {Study} study @param {any} options @param {AbortSignal} signal */
    async printedReport(study, options, signal) {
      const all = { ...options, asSeries: study.asSeries };
      if (!isDevice(study)) return /** @type {any} */ (api).printedReport(study.body, all, signal);
      return (await loadDevice()).printedReport(/** @type {Blob} */ (study.body), all, signal);
    },
  };
}
