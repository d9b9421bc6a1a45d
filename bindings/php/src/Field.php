<?php

declare(strict_types=1);

namespace Torii;

/** Stands for "leave this field alone" where a value or null could be given. */
enum Field
{
    case Unset;
}
