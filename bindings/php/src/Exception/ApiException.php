<?php

declare(strict_types=1);

namespace Torii\Exception;

/** The API answered, but not with success. */
final class ApiException extends ToriiException
{
}
