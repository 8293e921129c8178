with best as (
    select module, max(points) as points
    from course.grades
    where trainee_id = $1 and cohort = $3
    group by module
)
select m.module, m.title, m.of_points, m.pass_points, b.points
from course.modules m
left join best b on b.module = m.module
where m.level = $2
order by m.module
