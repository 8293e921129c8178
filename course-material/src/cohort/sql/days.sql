with passes as (
    select s.cohort, s.trainee_id, s.module, min(cast(s.handed_in_on as int)) as passed_on
    from course.submissions s
    join course.grades g on g.submission_id = s.submission_id
    join course.modules m on m.module = s.module
    where s.cohort like $1 and g.points >= m.pass_points
    group by s.cohort, s.trainee_id, s.module
),
waited as (
    select p.module, p.passed_on - cast(e.enrolled_on as int) as days
    from passes p
    join course.enrolments e on e.cohort = p.cohort and e.trainee_id = p.trainee_id
)
select module, count(*) as passed, min(days) as shortest, median(days) as median, max(days) as longest
from waited
group by module
order by module
