terraform {
  required_version = ">= 1.6"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.0, < 7.0"
    }
  }
}

# Without `endpoints` this is AWS with the usual credentials. With them it is LocalStack or moto, which take any.
provider "aws" {
  region                      = var.region
  access_key                  = local.is_emulated ? "emulator" : null
  secret_key                  = local.is_emulated ? "emulator" : null
  s3_use_path_style           = local.is_emulated
  skip_credentials_validation = local.is_emulated
  skip_metadata_api_check     = local.is_emulated

  endpoints {
    appautoscaling = lookup(var.endpoints, "appautoscaling", local.any_endpoint)
    athena         = lookup(var.endpoints, "athena", local.any_endpoint)
    cloudwatch     = lookup(var.endpoints, "cloudwatch", local.any_endpoint)
    dynamodb       = lookup(var.endpoints, "dynamodb", local.any_endpoint)
    ecs            = lookup(var.endpoints, "ecs", local.any_endpoint)
    firehose       = lookup(var.endpoints, "firehose", local.any_endpoint)
    glue           = lookup(var.endpoints, "glue", local.any_endpoint)
    iam            = lookup(var.endpoints, "iam", local.any_endpoint)
    kinesis        = lookup(var.endpoints, "kinesis", local.any_endpoint)
    logs           = lookup(var.endpoints, "logs", local.any_endpoint)
    s3             = lookup(var.endpoints, "s3", local.any_endpoint)
    s3control      = lookup(var.endpoints, "s3control", local.any_endpoint)
    sqs            = lookup(var.endpoints, "sqs", local.any_endpoint)
    sts            = lookup(var.endpoints, "sts", local.any_endpoint)
  }

  default_tags {
    tags = merge({ Project = "sightline" }, var.tags)
  }
}

locals {
  is_emulated  = length(var.endpoints) > 0
  any_endpoint = lookup(var.endpoints, "default", null)
}
