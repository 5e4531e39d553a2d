-- What was told before this batch names its destinations, too.
-- In: told, told_before (as told). Out: told.
insert into told by name select * from told_before
