locals {
  buckets = {
    raw       = "raw-data${var.bucket_suffix}"
    inference = "inference-data${var.bucket_suffix}"
    queries   = "query-results${var.bucket_suffix}"
  }
}

resource "aws_s3_bucket" "this" {
  for_each      = local.buckets
  bucket        = each.value
  force_destroy = !var.deletion_protection
}

resource "aws_s3_bucket_public_access_block" "this" {
  for_each                = aws_s3_bucket.this
  bucket                  = each.value.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "this" {
  for_each = aws_s3_bucket.this
  bucket   = each.value.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  for_each = aws_s3_bucket.this
  bucket   = each.value.id

  rule {
    bucket_key_enabled = var.kms_key_arn != null

    apply_server_side_encryption_by_default {
      sse_algorithm     = var.kms_key_arn == null ? "AES256" : "aws:kms"
      kms_master_key_id = var.kms_key_arn
    }
  }
}

resource "aws_s3_bucket_versioning" "this" {
  for_each = aws_s3_bucket.this
  bucket   = each.value.id

  versioning_configuration {
    status = var.versioned_buckets ? "Enabled" : "Suspended"
  }
}

# An emulator is spoken to without TLS.
data "aws_iam_policy_document" "tls_only" {
  for_each = local.is_emulated ? {} : aws_s3_bucket.this

  statement {
    sid       = "TlsOnly"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [each.value.arn, "${each.value.arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_s3_bucket_policy" "this" {
  for_each   = data.aws_iam_policy_document.tls_only
  bucket     = aws_s3_bucket.this[each.key].id
  policy     = each.value.json
  depends_on = [aws_s3_bucket_public_access_block.this]
}

locals {
  # What goes out of each bucket after how many days, by prefix.
  expiry = {
    raw = {
      recordings = { prefix = "raw/", days = var.raw_retention_days }
      images     = { prefix = "images/", days = var.raw_retention_days }
      claims     = { prefix = "claims/", days = var.claim_retention_days }
    }
    inference = merge(
      { errors = { prefix = "errors/", days = 90 } },
      var.table_retention_days == null ? {} : {
        detections = { prefix = "detections/", days = var.table_retention_days }
        frames     = { prefix = "frames/", days = var.table_retention_days }
        segments   = { prefix = "segments/", days = var.table_retention_days }
      },
    )
    queries = { results = { prefix = "", days = 7 } }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  for_each = aws_s3_bucket.this
  bucket   = each.value.id

  # Parts of uploads that nobody finished are billed and seen in no listing.
  rule {
    id     = "unfinished-uploads"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 2
    }
  }

  dynamic "rule" {
    for_each = local.expiry[each.key]

    content {
      id     = rule.key
      status = "Enabled"

      filter {
        prefix = rule.value.prefix
      }

      expiration {
        days = rule.value.days
      }
    }
  }

  rule {
    id     = "old-versions"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days = 7
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}
