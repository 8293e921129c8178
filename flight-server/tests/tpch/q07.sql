-- what two nations ship to each other, by year
select supp_nation, cust_nation, l_year, sum(volume) as revenue
from (
    select here.n_name as supp_nation, there.n_name as cust_nation,
        extract(year from l_shipdate) as l_year, l_extendedprice * (1 - l_discount) as volume
    from supplier
    join lineitem on l_suppkey = s_suppkey
    join orders on o_orderkey = l_orderkey
    join customer on c_custkey = o_custkey
    join nation here on here.n_nationkey = s_nationkey
    join nation there on there.n_nationkey = c_nationkey
    where l_shipdate between date '1995-01-01' and date '1996-12-31'
        and (here.n_name = 'FRANCE' and there.n_name = 'GERMANY'
            or here.n_name = 'GERMANY' and there.n_name = 'FRANCE')) as shipping
group by supp_nation, cust_nation, l_year
order by supp_nation, cust_nation, l_year
