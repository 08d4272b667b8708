interface SavedQuery {
  readonly description: string;
  /** Over the local views. */
  readonly sql: string;
  /** The same question to Athena, which deploy/terraform/athena.tf saves under the same name; a test compares. */
  readonly athena: string;
}

/** Each table in AWS is partitioned by `dt` alone: what does not name it lists every hour since the first. */
const LAST_DAY = {
  sql: `dt >= strftime(now()::TIMESTAMP - INTERVAL 1 DAY, '%Y/%m/%d/%H')`,
  athena: `dt >= date_format(current_timestamp AT TIME ZONE 'UTC' - INTERVAL '1' DAY, '%Y/%m/%d/%H')`,
};
const RECORDING = `SELECT segment_key, min("timestamp") AS first_frame, max("timestamp") AS last_frame, count(*) AS frames
FROM frames_once
WHERE camera_id = ? AND dt >= ? AND timestamp_ms BETWEEN CAST(? AS bigint) - 10000 AND CAST(? AS bigint) + 10000
GROUP BY 1
ORDER BY 2`;

/** Queries with a name. */
export const SAVED_QUERIES: Readonly<Record<string, SavedQuery>> = {
  'objects-per-hour': {
    description: 'Tracked objects of each class by camera and hour of the last day',
    sql: `SELECT camera_id, date_trunc('hour', "timestamp") AS hour, class,
  count(DISTINCT (session, object_id)) AS objects
FROM detections_once
WHERE object_id IS NOT NULL AND ${LAST_DAY.sql}
GROUP BY ALL ORDER BY ALL`,
    athena: `SELECT camera_id, date_trunc('hour', "timestamp") AS hour, class, count(DISTINCT (session, object_id)) AS objects
FROM detections_once
WHERE object_id IS NOT NULL AND ${LAST_DAY.athena}
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3`,
  },
  'cameras-silent': {
    description: 'When each camera was last seen to detect something, the longest silent first',
    sql: `SELECT camera_id, max("timestamp") AS last_seen FROM detections GROUP BY 1 ORDER BY 2`,
    athena: `SELECT camera_id, max("timestamp") AS last_seen
FROM detections
WHERE ${LAST_DAY.athena}
GROUP BY 1
ORDER BY 2`,
  },
  dwell: {
    description: 'How long the objects of the last day were seen, the longest first',
    sql: `SELECT camera_id, session, object_id, max_by(class, timestamp_ms) AS class, min("timestamp") AS first_seen,
  (max(timestamp_ms) - min(timestamp_ms)) / 1000.0 AS seconds
FROM detections
WHERE object_id IS NOT NULL AND ${LAST_DAY.sql}
GROUP BY 1, 2, 3 ORDER BY seconds DESC`,
    athena: `SELECT camera_id, session, object_id, max_by(class, timestamp_ms) AS class, min("timestamp") AS first_seen,
  (max(timestamp_ms) - min(timestamp_ms)) / 1e3 AS seconds
FROM detections
WHERE object_id IS NOT NULL AND ${LAST_DAY.athena}
GROUP BY 1, 2, 3
ORDER BY seconds DESC`,
  },
  'lines-per-hour': {
    description: 'Crossings of each line by camera, hour and class',
    sql: `SELECT camera_id, date_trunc('hour', "timestamp") AS hour, line, class, count(*) AS crossings
FROM (SELECT *, unnest(lines_crossed) AS line FROM detections_once)
GROUP BY ALL ORDER BY ALL`,
    athena: `SELECT camera_id, date_trunc('hour', "timestamp") AS hour, line, class, count(*) AS crossings
FROM detections_once CROSS JOIN UNNEST(lines_crossed) AS crossed (line)
WHERE ${LAST_DAY.athena}
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4`,
  },
  models: {
    description: 'Rows, confidence and span of time of each version of each model',
    sql: `SELECT model_name, model_version, count(*) AS detections, avg(confidence) AS confidence,
  min("timestamp") AS first, max("timestamp") AS last
FROM detections_once WHERE inferred GROUP BY 1, 2 ORDER BY 1, 2`,
    athena: `SELECT model_name, model_version, count(*) AS detections, avg(CAST(confidence AS double)) AS confidence,
  min("timestamp") AS first, max("timestamp") AS last
FROM detections_once
WHERE inferred AND ${LAST_DAY.athena}
GROUP BY 1, 2
ORDER BY 1, 2`,
  },
  'recorded-per-hour': {
    description: 'Recorded frames and bytes by camera and hour of the last day',
    sql: `SELECT camera_id, date_trunc('hour', "timestamp") AS hour, count(*) AS frames, sum(size_bytes) AS bytes
FROM frames_once
WHERE ${LAST_DAY.sql}
GROUP BY ALL ORDER BY ALL`,
    athena: `SELECT camera_id, date_trunc('hour', "timestamp") AS hour, count(*) AS frames, sum(size_bytes) AS bytes
FROM frames_once
WHERE ${LAST_DAY.athena}
GROUP BY 1, 2
ORDER BY 1, 2`,
  },
  'recording-of-a-moment': {
    description:
      'Where the video of a camera around a time lies; parameters: camera, hour as yyyy/MM/dd/HH, milliseconds since 1970, the same again',
    sql: RECORDING,
    athena: RECORDING,
  },
};
