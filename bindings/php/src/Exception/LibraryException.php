<?php

declare(strict_types=1);

namespace Torii\Exception;

/** libtorii cannot be had, or is not the one this package is made for. */
final class LibraryException extends \RuntimeException
{
}
