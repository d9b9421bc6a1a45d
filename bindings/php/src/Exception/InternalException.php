<?php

declare(strict_types=1);

namespace Torii\Exception;

/** A defect of the library. The process and other objects stay usable. */
final class InternalException extends ToriiException
{
}
