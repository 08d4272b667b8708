interface Column {
  readonly name: string;
  readonly type: string;
  /** Where it is not simply the file's column. */
  readonly from?: string;
}

/**
 * What a query sees of a detection: the columns of the table in AWS Glue (deploy/terraform/glue.tf) under the same names and
 * in the same order, then the folders of the layout as columns.
 */
const COLUMNS: readonly Column[] = [
  { name: 'timestamp', type: 'TIMESTAMP' },
  { name: 'timestamp_ms', type: 'BIGINT', from: 'epoch_ms("timestamp")' },
  { name: 'camera_id', type: 'VARCHAR' },
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
  // The partition of the tables in AWS, so that one condition prunes in both.
  { name: 'dt', type: 'VARCHAR', from: `replace("date", '-', '/') || '/' || "hour"` },
  { name: 'camera', type: 'VARCHAR' },
  { name: 'date', type: 'VARCHAR' },
  { name: 'hour', type: 'VARCHAR' },
];

/** Below the folder of a file sink. */
const LAYOUT = 'camera=*/date=*/hour=*/*.parquet';
const HIVE_TYPES = `{'camera': 'VARCHAR', 'date': 'VARCHAR', 'hour': 'VARCHAR'}`;

/** The views of a query. */
export const VIEWS: ReadonlySet<string> = new Set(['detections', 'detections_once']);

/** A folder as part of a pattern: what is special in its name stands for itself. */
export function escapeFolder(folder: string): string {
  return folder.replace(/[*?[]/g, '[$&]');
}

/** The pattern of the Parquet files of a folder. */
export function globOf(folder: string): string {
  return `${escapeFolder(folder)}/${LAYOUT}`;
}

export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/**
 * Statements that make the views. `detections` has the rows as they were written, `detections_once` each one once: delivery
 * is at least once, and a copy has the same record id in the same hour.
 * @param globs patterns that match a file each; none: the views are empty and have their types
 */
export function viewStatements(globs: readonly string[]): string[] {
  const rows =
    globs.length === 0
      ? `SELECT ${COLUMNS.map(({ name, type }) => `CAST(NULL AS ${type}) AS "${name}"`).join(', ')} WHERE false`
      : `SELECT ${COLUMNS.map(({ name, type, from }) => `CAST(${from ?? `"${name}"`} AS ${type}) AS "${name}"`).join(', ')}
         FROM read_parquet([${globs.map(literal).join(', ')}], hive_partitioning = true, hive_types = ${HIVE_TYPES})`;
  const names = COLUMNS.map(({ name }) => `"${name}"`).join(', ');
  return [
    `CREATE VIEW detections AS ${rows}`,
    // Partitioned by the folders, too: conditions on them reach the files.
    `CREATE VIEW detections_once AS SELECT ${names} FROM (
       SELECT *, row_number() OVER (
         PARTITION BY dt, camera, "date", "hour", record_id, object_index ORDER BY timestamp_ms
       ) AS copy FROM detections
     ) WHERE copy = 1`,
  ];
}
