-- Every link by itself, as the aliases to begin with. In: link. Out: alias, the same.
create or replace temp table alias as select * from link
