<?php

declare(strict_types=1);

namespace Torii\Exception;

/** The API's successful answer is not JSON, is truncated, or is too long. */
final class ResponseException extends ToriiException
{
}
