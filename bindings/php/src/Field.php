<?php

declare(strict_types=1);

namespace Torii;

/** Leaves a field alone, where a value would set it and null would clear it. */
enum Field
{
    /** The field stays as it is. */
    case Unset;
}
