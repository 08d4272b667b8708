interface Column {
  readonly name: string;
  readonly type: string;
  /** Where it is not simply the file's column. */
  readonly from?: string;
}

interface Table {
  /** Of its files, below the folder of a file sink. */
  readonly layout: string;
  readonly columns: readonly Column[];
  /** What names a row within its hour. */
  readonly key: string;
}

const TIME: readonly Column[] = [
  { name: 'timestamp', type: 'TIMESTAMP' },
  { name: 'timestamp_ms', type: 'BIGINT', from: 'epoch_ms("timestamp")' },
  { name: 'camera_id', type: 'VARCHAR' },
];

/** What the layout writes for what there is not. */
const NO_FOLDER = '__HIVE_DEFAULT_PARTITION__';
const LAYOUT = 'camera=*/date=*/hour=*/*.parquet';
const PATTERN = '/camera=([^/]*)/date=([^/]*)/hour=([^/]*)/[^/]*$';

/** The value in the name of a file's folder: `group` counts them. Conditions on it are known before the file is opened. */
function folderOf(group: number): string {
  return `nullif(url_decode(regexp_extract(filename, '${PATTERN}', ${group})), '${NO_FOLDER}')`;
}

/** The folders of the layout. */
const PLACE: readonly Column[] = [
  // The partition of the tables in AWS, so that one condition prunes in both.
  {
    name: 'dt',
    type: 'VARCHAR',
    from: `replace(${folderOf(2)}, '-', '/') || '/' || ${folderOf(3)}`,
  },
  { name: 'camera', type: 'VARCHAR', from: folderOf(1) },
  { name: 'date', type: 'VARCHAR', from: folderOf(2) },
  { name: 'hour', type: 'VARCHAR', from: folderOf(3) },
];

/**
 * What a query sees: the columns of the tables in AWS Glue (deploy/terraform/glue.tf) under the same names and in the same
 * order, then the folders of the layout as columns.
 */
const TABLES: Readonly<Record<string, Table>> = {
  detections: {
    layout: LAYOUT,
    key: 'record_id, object_index',
    columns: [
      ...TIME,
      { name: 'object_id', type: 'VARCHAR' },
      { name: 'class', type: 'VARCHAR' },
      { name: 'class_id', type: 'INTEGER' },
      { name: 'confidence', type: 'FLOAT' },
      { name: 'left_x', type: 'FLOAT' },
      { name: 'top_y', type: 'FLOAT' },
      { name: 'right_x', type: 'FLOAT' },
      { name: 'bottom_y', type: 'FLOAT' },
      { name: 'frame_width', type: 'INTEGER' },
      { name: 'frame_height', type: 'INTEGER' },
      { name: 'zones', type: 'VARCHAR[]' },
      { name: 'lines_crossed', type: 'VARCHAR[]' },
      { name: 'direction', type: 'VARCHAR' },
      { name: 'model_name', type: 'VARCHAR' },
      { name: 'model_version', type: 'VARCHAR' },
      { name: 'inferred', type: 'BOOLEAN' },
      { name: 'frames_since_detection', type: 'INTEGER' },
      { name: 'frame_reference', type: 'VARCHAR' },
      { name: 'session', type: 'VARCHAR' },
      { name: 'frame_sequence', type: 'BIGINT' },
      { name: 'record_id', type: 'VARCHAR' },
      { name: 'object_index', type: 'INTEGER' },
      { name: 'pts_ns', type: 'BIGINT' },
      ...PLACE,
    ],
  },
  frames: {
    layout: `frames/${LAYOUT}`,
    key: 'record_id, frame_sequence',
    columns: [
      ...TIME,
      { name: 'capture_clock', type: 'VARCHAR' },
      { name: 'pts_ns', type: 'BIGINT' },
      { name: 'segment_key', type: 'VARCHAR' },
      { name: 'byte_offset', type: 'BIGINT' },
      { name: 'size_bytes', type: 'BIGINT' },
      { name: 'key_frame', type: 'BOOLEAN' },
      { name: 'session', type: 'VARCHAR' },
      { name: 'frame_sequence', type: 'BIGINT' },
      { name: 'epoch', type: 'BIGINT' },
      { name: 'record_id', type: 'VARCHAR' },
      ...PLACE,
    ],
  },
  segments: {
    layout: `segments/${LAYOUT}`,
    key: 'record_id',
    columns: [
      ...TIME,
      { name: 'capture_clock', type: 'VARCHAR' },
      { name: 'duration_ns', type: 'BIGINT' },
      { name: 'segment_key', type: 'VARCHAR' },
      { name: 'content_type', type: 'VARCHAR' },
      { name: 'codec', type: 'VARCHAR' },
      { name: 'size_bytes', type: 'BIGINT' },
      { name: 'sha256', type: 'VARCHAR' },
      { name: 'frames', type: 'INTEGER' },
      { name: 'closed', type: 'BOOLEAN' },
      { name: 'session', type: 'VARCHAR' },
      { name: 'epoch', type: 'BIGINT' },
      { name: 'record_id', type: 'VARCHAR' },
      ...PLACE,
    ],
  },
};

/** The views of a query. */
export const VIEWS: ReadonlySet<string> = new Set(
  Object.keys(TABLES).flatMap((name) => [name, `${name}_once`]),
);

/** A folder as part of a pattern: what is special in its name stands for itself. */
export function escapeFolder(folder: string): string {
  return folder.replace(/[*?[]/g, '[$&]');
}

export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/**
 * Statements that make the views. `detections` has the rows as they were written, `detections_once` each one once: delivery
 * is at least once, and a copy has the same record id in the same hour. The other tables likewise.
 * @param sql the query: what it does not name is not opened, so that nothing can be wrong with it
 * @param folders of file sinks
 * @param hasFiles whether a file matches a pattern; tables without files are empty and have their types
 */
export async function viewStatements(
  sql: string,
  folders: readonly string[],
  hasFiles: (glob: string) => Promise<boolean>,
): Promise<string[]> {
  const statements: string[] = [];
  for (const [name, table] of Object.entries(TABLES)) {
    if (!sql.toLowerCase().includes(name)) continue;
    const globs: string[] = [];
    for (const folder of folders) {
      const glob = `${escapeFolder(folder)}/${table.layout}`;
      if (await hasFiles(glob)) globs.push(glob);
    }
    statements.push(...viewsOf(name, table, globs));
  }
  return statements;
}

function viewsOf(name: string, { columns, key }: Table, globs: readonly string[]): string[] {
  const rows =
    globs.length === 0
      ? `SELECT ${columns.map((column) => `CAST(NULL AS ${column.type}) AS "${column.name}"`).join(', ')} WHERE false`
      : `SELECT ${columns.map((column) => `CAST(${column.from ?? `"${column.name}"`} AS ${column.type}) AS "${column.name}"`).join(', ')}
         FROM read_parquet([${globs.map(literal).join(', ')}], schema = ${schemaOf(columns)}, filename = true)`;
  const names = columns.map((column) => `"${column.name}"`).join(', ');
  return [
    `CREATE VIEW ${name} AS ${rows}`,
    // Partitioned by the folders, too: conditions on them reach the files.
    `CREATE VIEW ${name}_once AS SELECT ${names} FROM (
       SELECT *, row_number() OVER (
         PARTITION BY dt, camera, "date", "hour", ${key} ORDER BY timestamp_ms
       ) AS copy FROM ${name}
     ) WHERE copy = 1`,
  ];
}

/**
 * The columns of the files by their names. Files that were written before there was one have null there; to look into all
 * of them for it beforehand (union_by_name) would open each, whatever a query asks of the folders.
 */
function schemaOf(columns: readonly Column[]): string {
  const stored = columns.filter(({ from }) => from === undefined);
  const entries = stored.map(({ name, type }) => {
    const definition = `{name: ${literal(name)}, type: ${literal(type)}, default_value: NULL}`;
    return `${literal(name)}: ${definition}`;
  });
  return `MAP {${entries.join(', ')}}`;
}
