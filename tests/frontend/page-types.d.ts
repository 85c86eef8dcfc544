// Types of the page's own data and of the API answers that it reads, for `npm run lint`. The page itself loads none of this.

type Nullable<T> = T | null;
type Point = { x: number; y: number };
type Vector = [number, number, number];
type Window_ = { center: number; width: number };
type ApiWindow = { center_hu: number; width_hu: number };

// The HTTP API, version 1: the fields that the page uses.
interface Model { name: string; title: string; version: string; sha256: string; card: string; threshold: number; classes: { code: string; name: string; color: string }[] }
interface Limits { max_body_bytes: number; max_upload_bytes?: number }
interface ServerInfo { version: string; default: string; models: Model[]; windows: ({ name: string } & ApiWindow)[]; limits: Limits; media_types: string[]; disclaimer: string }
interface Warning { code: string; message: string; doubt?: 'unreadable' | 'incomplete' | 'undecided' | 'unmeasurable' }
interface Placement { row: Vector; column: Vector; position_mm: Vector }
interface EncodedImage { base64: string }
interface EncodedSamples extends EncodedImage { unit: 'HU' | 'grey'; scale: number; offset: number }
interface Readout { open: boolean; min_lesion_px: number }
interface Subtype { code: string; name: string; probability: number; experimental?: boolean }
interface Hemorrhage { detected: Nullable<boolean>; probability: Nullable<number>; verdict?: Nullable<string>; threshold: number; subtypes?: Subtype[] }
interface ImageInfo {
  width: number; height: number; modality?: string; spacing_mm: Nullable<[number, number]>; window: Nullable<ApiWindow>;
  gray_scale?: string; estimated_window?: ApiWindow; slices?: number; slice_spacing_mm?: Nullable<number>; key_slice?: number;
}
interface SliceReport {
  index: number; probability?: Nullable<number>; readout?: Readout; mask?: EncodedImage; probabilities?: EncodedImage; samples?: EncodedSamples;
  placement?: Nullable<Placement>; extent_mm?: Nullable<number>; spacing_mm?: [number, number]; area_px?: number; lesions?: ReportedLesion[];
  width?: number; height?: number; image?: ImageInfo; hemorrhage?: Hemorrhage;
}
interface LesionType { code: Nullable<string>; probability: Nullable<number>; not_assessed: string[] }
interface LesionLocation { side: Nullable<'left' | 'right' | 'midline'>; depth: 'superficial' | 'deep'; region: Nullable<string> }
/** What the analysis says of a lesion beside its size. */
interface DescribedLesion { type?: LesionType; location?: LesionLocation; thickness_mm?: number; density?: { mean_hu: number } }
interface MeasuredLesion extends DescribedLesion {
  voxels: number; first_slice: number; last_slice: number; volume_ml?: Nullable<number>; largest_diameter_mm: Nullable<number>;
  abc2: Nullable<{ a_mm: number; b_mm: number; c_mm: number; volume_ml: number }>;
}
/** What a file is written from: a model at a threshold, null for its own, and the choice of a series. */
interface ExportOptions { model: string; threshold: Nullable<number>; series: Nullable<number>; asSeries: boolean }
interface Pattern { code: string; lesions: number[]; consider: Record<string, string>; sources: { authors: string; journal: string; year: number; doi: string }[] }
interface ReportedLesion extends DescribedLesion { area_px: number; centroid: Point }
interface Report {
  patterns?: Pattern[];
  request_id: string; disclaimer: string; lesions?: ReportedLesion[]; placement?: Nullable<Placement>; model: { version: string }; image: ImageInfo; series?: ImageInfo; slices?: SliceReport[]; hemorrhage: Hemorrhage;
  warnings: Warning[]; volume?: { total_volume_ml: Nullable<number>; total_volume_interval_ml?: Nullable<[number, number]>; lesions: MeasuredLesion[] }; timings_ms: Record<string, number>;
}

// Data of the page.
type Run = [row: number, first: number, last: number];
interface Region { runs: Run[]; area: number; centroid: Point; bbox: { x: number; y: number; width: number; height: number } }
interface LesionPart { slice: number; region: Region }
interface Lesion {
  id: number; parts: LesionPart[]; voxels: number; volumeMl: Nullable<number>; areaPx: number; areaMm2: Nullable<number>; keySlice: number;
  centroid: Point; first: number; last: number; probability: number;
}
interface Totals { lesions: Lesion[]; areas: number[]; voxels: number; areaMm2: Nullable<number>; volumeMl: Nullable<number>; keySlice: number }
type Samples = Int16Array | Uint8Array | Uint16Array;
/** `spacing` is [between rows, between columns] in mm; `extentMm` the length that the slice stands for. */
interface Slice {
  index: number; width: number; height: number; spacing: Nullable<[number, number]>; placement: Nullable<Placement>; hasKnownSides: boolean;
  extentMm: Nullable<number>; unit: 'HU' | 'grey'; samples: Nullable<Samples>; hasImplausibleSpacing?: boolean;
}
interface SliceResult { probability: Nullable<number>; readout?: Readout; mask: Nullable<Uint8Array>; probabilities: Nullable<Uint8Array> }
/** `report` covers a head; separate pictures have one each in `reports`, or the problem that it met in `problems`. */
interface Result { report: Nullable<Report>; slices: SliceResult[]; reports: Report[]; problems: any[]; isComplete: boolean; isDevice: boolean }
/** `body` is what is sent; separate `pictures` are sent one by one instead. */
interface Study {
  name: string; label: Nullable<string>; body: Nullable<Blob>; mayHoldSeveral: boolean; asSeries: boolean; series: Nullable<number>;
  pictures: Nullable<any[]>; slices: Slice[]; results: Map<string, Result>; window: Nullable<ApiWindow>; needsServer: boolean;
}
interface Measurements {
  threshold: Nullable<number>; regionsAt(index: number): Region[] | undefined; totalsAt(index: number): Nullable<Totals>;
  computeAll(onDone: () => void, isCancelled?: () => boolean): void; invalidate(index: number): void;
}
interface SegmentOptions {
  model: string; limits: Limits; types: string[]; mayHoldSeveral: boolean; asSeries: boolean; series: Nullable<number>; needsSamples: boolean; maxSlices?: number; signal: AbortSignal;
  onProgress(stage: 'loading' | 'sending' | 'working', done: number, total: number): void; onSlice(slice: SliceReport, image: Nullable<ImageInfo>): Promise<void>;
}
interface Finding { report: Report; totals: Totals; threshold: Nullable<number>; isSeries: boolean; isDevice: boolean; title: string }
interface ShownFinding extends Finding { label: Nullable<string>; selectedLesion: Nullable<number>; comparison: Nullable<Finding> }
interface Sample { file: string; thumbnail: string; label: string; detail: string; address: string; isFeatured?: boolean }

// The viewer.
interface Overlay { fill: boolean; outline: boolean; opacity: number; heat: boolean }
interface Shape { width: number; height: number; aspect: number; flipX: boolean; flipY: boolean }
interface Size { width: number; height: number }
interface Transform { scaleX: number; scaleY: number; left: number; top: number }
interface Pane { title: string; color: string; regions: Region[]; ids: number[]; probabilities: Nullable<Uint8Array>; hasResult: boolean; isUnreadable: boolean; isPlain?: boolean }
interface Scene { name: string; slice: Slice | undefined; position: string; hasReport: boolean; hasSeveralSlices: boolean; window: Window_; overlay: Overlay; selectedLesion: Nullable<number>; panes: Pane[] }
interface Layer { canvas: OffscreenCanvas; context: any; words(width: number, height: number): Uint32Array; show(): void; clear(width: number, height: number): void }
interface RulerState { points: Point[]; cursor: Nullable<Point>; text: string }
interface Ruler { isActive: boolean; toggle(): void; close(): void; placePoint(): void; move(dx: number, dy: number): void; add?(point: Point): void; clear?(): void; drawing?: Nullable<RulerState> }
interface Viewer { ruler: Ruler; show(scene: Nullable<Scene>): void; fit(): void; zoom(direction: number): void; pan(dx: number, dy: number): void; center(point: Point): void; drawNow?(): void }

// This device.
interface DeviceInstance {
  /** Models by name, resolved once they are loaded. */
  models: Map<string, Promise<unknown>>; readonly isRunning: boolean;
  call(request: object, buffers: Uint8Array[], options?: { onProgress?(done: number, total: number): void; signal?: AbortSignal }): Promise<{ json: any; file: any }>;
}

// The controller.
interface Session {
  readonly study: Nullable<Study>; readonly isUnevenlySpaced: boolean; close(): void;
  open(files: File[], options: { label: Nullable<string>; series: Nullable<number> }, signal: AbortSignal): Promise<void>;
  analyze(model: Model, serverInfo: ServerInfo, signal: AbortSignal): Promise<void>;
  hasResult(name: string): boolean; result(name: string): Nullable<Result>; report(name: string, index: number): Nullable<Report>;
  doubt(name: string, index: number): Nullable<'unreadable' | 'incomplete'>; discardPartialResult(name: string): void;
  measurementsOf(name: string): Nullable<Measurements>; threshold(name: string): Nullable<number>; setThreshold(name: string, value: Nullable<number>): void;
}
interface SessionOptions {
  location: any; thresholds: Map<string, number>; onProgress(progress: { message: string; done?: number; total?: number; slices?: number }): void;
  onSlice(index: number, model: Model): void; onMeasurements(name: string): void;
  onAmbiguousPictures(pictures: { count: number; first: string; last: string }, signal: AbortSignal): Promise<Nullable<'head' | 'separate'>>;
}
/** `index` is the current slice, `total` the number of slices to come; `task` is what runs. */
interface State {
  serverInfo: any; model: any; index: number; total: number; hasNavigated: boolean; selectedLesion: Nullable<number>; window: any; isWindowProvisional: boolean;
  task: Nullable<AbortController>; lastProblem: any; timings: Record<string, number>; source?: any;
}
type Widgets = {
  location: ReturnType<typeof import('../../frontend/js/device/location.js').createLocation>;
  busy: ReturnType<typeof import('../../frontend/js/panels/busy.js').createBusy>;
  errorPanel: ReturnType<typeof import('../../frontend/js/panels/error-panel.js').createErrorPanel>;
  findings: ReturnType<typeof import('../../frontend/js/panels/findings.js').createFindings>;
  windowControls: ReturnType<typeof import('../../frontend/js/view/window-controls.js').createWindowControls>;
  overlayControls: ReturnType<typeof import('../../frontend/js/view/overlay-controls.js').createOverlayControls>;
  sliceStrip: ReturnType<typeof import('../../frontend/js/view/slice-strip.js').createSliceStrip>;
  thresholdControl: ReturnType<typeof import('../../frontend/js/panels/threshold.js').createThreshold>;
  gallery: ReturnType<typeof import('../../frontend/js/panels/gallery.js').createGallery>;
  downloads: ReturnType<typeof import('../../frontend/js/panels/downloads.js').createDownloads>;
};
type Selection_ = {
  measurements(model?: Model): Nullable<Measurements>; totalsOf(model?: Model): Nullable<Totals>; currentReport(model?: Model): Nullable<Report>;
  regionsOf(index: number): Region[]; currentDoubt(model?: Model): Nullable<'unreadable' | 'incomplete'>; currentName(): string; currentSlice(): Slice | undefined;
  colorOf(model: Model): string; modelNamed(name: string): Model; hasSeveralSlices(): boolean;
};
type Actions = {
  render(): void; renderFindings(isAnnounced?: boolean): void; showPictureResult(isAnnounced?: boolean): void; findingOf(model: Model): Nullable<Finding>;
  goTo(index: number): void; goToKeySlice(): void; showLesion(lesion: Nullable<Lesion>): void; stepLesion(step: 1 | -1): void;
  startTask(message: string): AbortController; runTask(task: AbortController, retry: () => void, work: () => Promise<void>): Promise<void>; showFailure(error: unknown, retry: () => void): void;
  exporters: Record<string, () => Promise<Blob>>; offerDownloads(): void; copyFindings(): Promise<void>; copyDiagnostics(): Promise<void>;
  analyzeMissing(): Promise<void>; runAnalyses(task: AbortController): Promise<void>; onSliceResult(index: number, model: Model): void; resetWindow(index?: number): void;
  open(read: () => Promise<File[]>, label?: Nullable<string>, series?: Nullable<number>): Promise<void>; openSample(sample: Sample): Promise<void>; openSeries(number: number): Promise<void>; cancel(): void;
};
/** Callers of `study` and `result` know that something is open. */
type OpenSession = Omit<Session, 'study' | 'result'> & { study: any; result(name: string): any };
/** What the modules share: `session` and `viewer` are replaced when something is first opened. */
type Page = Widgets & Selection_ & Actions & {
  state: State; thresholds: Map<string, number>; session: OpenSession; viewer: Viewer; loadServerInfo(): Promise<boolean>; announce(message: string): void;
};
