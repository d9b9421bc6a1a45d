<?php

declare(strict_types=1);

namespace Torii\Exception;

/** The API answered with an error. */
final class ApiException extends ToriiException
{
}
