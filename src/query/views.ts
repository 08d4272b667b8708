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

/** The folders of the layout. */
const PLACE: readonly Column[] = [
  // The partition of the tables in AWS, so that one condition prunes in both.
  { name: 'dt', type: 'VARCHAR', from: `replace("date", '-', '/') || '/' || "hour"` },
  { name: 'camera', type: 'VARCHAR' },
  { name: 'date', type: 'VARCHAR' },
  { name: 'hour', type: 'VARCHAR' },
];

const LAYOUT = 'camera=*/date=*/hour=*/*.parquet';
const HIVE_TYPES = `{'camera': 'VARCHAR', 'date': 'VARCHAR', 'hour': 'VARCHAR'}`;

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
         FROM read_parquet([${globs.map(literal).join(', ')}], hive_partitioning = true, hive_types = ${HIVE_TYPES})`;
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
