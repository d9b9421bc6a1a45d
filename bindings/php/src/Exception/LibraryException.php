<?php

declare(strict_types=1);

namespace Torii\Exception;

/** libtorii is missing, or has another ABI version. */
final class LibraryException extends \RuntimeException
{
}
