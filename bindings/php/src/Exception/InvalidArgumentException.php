<?php

declare(strict_types=1);

namespace Torii\Exception;

/** An argument is invalid; the message names it. */
class InvalidArgumentException extends ToriiException
{
}
