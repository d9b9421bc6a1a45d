<?php

declare(strict_types=1);

namespace Torii\Exception;

/** The API could not be reached, or the connection was lost. */
class TransportException extends ToriiException
{
}
