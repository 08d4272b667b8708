interface SavedQuery {
  readonly description: string;
  readonly sql: string;
}

/** Queries with a name, over the local views. Those in AWS are in deploy/terraform/athena.tf. */
export const SAVED_QUERIES: Readonly<Record<string, SavedQuery>> = {
  'objects-per-hour': {
    description: 'Tracked objects of each class by camera and hour of the last day',
    sql: `SELECT camera_id, date_trunc('hour', "timestamp") AS hour, class,
  count(DISTINCT (session, object_id)) AS objects
FROM detections_once
WHERE dt >= strftime(now()::TIMESTAMP - INTERVAL 1 DAY, '%Y/%m/%d/%H')
GROUP BY ALL ORDER BY ALL`,
  },
  'cameras-silent': {
    description: 'When each camera was last seen to detect something, the longest silent first',
    sql: `SELECT camera_id, max("timestamp") AS last_seen FROM detections GROUP BY 1 ORDER BY 2`,
  },
  dwell: {
    description: 'How long the objects of the last day were seen, the longest first',
    sql: `SELECT camera_id, session, object_id, any_value(class) AS class, min("timestamp") AS first_seen,
  (max(timestamp_ms) - min(timestamp_ms)) / 1000.0 AS seconds
FROM detections
WHERE object_id IS NOT NULL AND dt >= strftime(now()::TIMESTAMP - INTERVAL 1 DAY, '%Y/%m/%d/%H')
GROUP BY 1, 2, 3 ORDER BY seconds DESC`,
  },
  'lines-per-hour': {
    description: 'Crossings of each line by camera, hour and class',
    sql: `SELECT camera_id, date_trunc('hour', "timestamp") AS hour, line, class, count(*) AS crossings
FROM (SELECT *, unnest(lines_crossed) AS line FROM detections_once)
GROUP BY ALL ORDER BY ALL`,
  },
  models: {
    description: 'Rows, confidence and span of time of each version of each model',
    sql: `SELECT model_name, model_version, count(*) AS detections, avg(confidence) AS confidence,
  min("timestamp") AS first, max("timestamp") AS last
FROM detections_once WHERE inferred GROUP BY 1, 2 ORDER BY 1, 2`,
  },
  'recorded-per-hour': {
    description: 'Recorded frames and bytes by camera and hour of the last day',
    sql: `SELECT camera_id, date_trunc('hour', "timestamp") AS hour, count(*) AS frames, sum(size_bytes) AS bytes
FROM frames_once
WHERE dt >= strftime(now()::TIMESTAMP - INTERVAL 1 DAY, '%Y/%m/%d/%H')
GROUP BY ALL ORDER BY ALL`,
  },
};
