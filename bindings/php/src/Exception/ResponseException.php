<?php

declare(strict_types=1);

namespace Torii\Exception;

/** The API answered with success, but the answer cannot be understood. */
final class ResponseException extends ToriiException
{
}
